import t from 'tap'
import {RedisEngine} from '../../engine/engine.ts'

t.test('an end before the first byte is the first byte, as in Redis', async t => {
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const session = engine.open()
  const run = (command: string): unknown => engine.run(session, command.split(' '))
  run('SET greeting hello')
  const cases: readonly (readonly [range: string, found: string])[] = [
    ['0 -5', 'h'],
    ['0 -6', 'h'],
    ['0 -101', 'h'],
    ['-9 -8', 'h'],
    ['-8 -9', ''],
    ['1 -101', ''],
    ['3 1', ''],
    ['-3 -1', 'llo']
  ]
  for (const [range, found] of cases) t.equal(run(`GETRANGE greeting ${range}`), found, range)
  t.equal(run('GETRANGE missing 0 -101'), '')
})
