import {join} from 'node:path'
import t from 'tap'
import {openStoredKeys} from '../../storage/stored-keys.ts'

t.test('no number makes the file one that cannot be read again', async t => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'the last id of a stream': [
      'XADD s 1-9007199254740990 a b',
      'XADD s 1-* a b',
      'XADD s 1-* a b',
      'XSETID s 18446744073709551615-18446744073709551615',
      'XADD s * a b'
    ],
    'the most deliveries': [
      'XADD s 1-1 a b',
      'XGROUP CREATE s g 0',
      'XREADGROUP GROUP g c STREAMS s >',
      'XCLAIM s g c 0 1-1 RETRYCOUNT 9223372036854775807',
      'XREADGROUP GROUP g c STREAMS s 0'
    ]
  }
  for (const [name, commands] of Object.entries(cases)) {
    const file = join(t.testdir(), 'redis.db')
    const warn = (text: string): void => void t.fail(text)
    const before = await openStoredKeys(file, warn)
    const session = before.engine.open()
    for (const command of commands) before.engine.run(session, command.split(' '))
    before.close()
    const after = await openStoredKeys(file, warn)
    t.equal(after.refusal, '', name)
    t.same([...after.engine.database(0).keys()], ['s'], name)
    after.close()
  }
})
