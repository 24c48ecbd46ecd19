import t from 'tap'
import {RedisEngine} from '../../engine/engine.ts'
import {encodeResult} from '../../protocol/writer.ts'
import type {Result} from '../../engine/result.ts'

t.test('a group that is set back keeps what it reads again, also while a later message of it is pending', async t => {
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const session = engine.open()
  const run = (command: string): string => encodeResult(engine.run(session, command.split(' ')) as Result, 2)
  run('XGROUP CREATE orders shop 0 MKSTREAM')
  const ids = Array.from({length: 10_000}, (_, at) => `${at + 1}-0`)
  for (const id of ids) run(`XADD orders ${id} data x`)
  run('XREADGROUP GROUP shop first STREAMS orders >')
  run(`XACK orders shop ${ids.slice(0, -1).join(' ')}`)
  for (let n = 10_001; n <= 10_100; n++) run(`XADD orders ${n}-0 data x`)
  run('XGROUP SETID orders shop 0')
  const read = 'XREADGROUP GROUP shop first COUNT 1 STREAMS orders >'
  t.match(run(read), '\r\n1-0\r\n')
  t.equal(run('XACK orders shop 1-0'), ':1\r\n')
  t.match(run(read), '\r\n2-0\r\n')
})
