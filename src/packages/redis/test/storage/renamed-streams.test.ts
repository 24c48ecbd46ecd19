import {join} from 'node:path'
import t from 'tap'
import {openStoredKeys} from '../../storage/stored-keys.ts'

t.test('a stream that gets another name among thousands of changed keys is there again', async t => {
  for (const isFirst of [true, false]) {
    const file = join(t.testdir(), `${isFirst}.db`)
    const before = await openStoredKeys(file, text => t.fail(text))
    const session = before.engine.open()
    const run = (...args: readonly string[]): unknown => before.engine.run(session, args)
    for (let n = 1; n <= 5; n++) run('XADD', 's', `1-${n}`, 'f', 'v')
    run('XGROUP', 'CREATE', 's', 'g', '0')
    t.same(run('SAVE'), {text: 'OK'})
    run('MULTI')
    if (isFirst) run('XADD', 's', '2-1', 'f', 'v')
    else run('SET', 't', 'x')
    run('MSET', ...Array.from({length: 6000}, (_, at) => [`k${at}`, 'v']).flat())
    run('RENAME', 's', 't')
    run('SET', 's', 'another')
    run('EXEC')
    before.close()

    const after = await openStoredKeys(file, text => t.fail(text))
    const other = after.engine.open()
    t.equal(after.engine.run(other, ['XLEN', 't']), isFirst ? 6 : 5)
    t.match(after.engine.run(other, ['XINFO', 'GROUPS', 't']), {length: 1})
    t.equal(after.engine.run(other, ['DBSIZE']), 6002)
    after.close()
  }
})
