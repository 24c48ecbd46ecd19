import t from 'tap'
import {RedisEngine} from '../../engine/engine.ts'
import {encodeResult} from '../../protocol/writer.ts'
import type {Result} from '../../engine/result.ts'

t.test('who claims nothing is no consumer of the group', async t => {
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const session = engine.open()
  const run = (command: string): string => encodeResult(engine.run(session, command.split(' ')) as Result, 2)
  run('XGROUP CREATE orders shop 0 MKSTREAM')
  for (const claim of ['XCLAIM orders shop late 0 1-1', 'XAUTOCLAIM orders shop late 0 0']) {
    run(claim)
    t.equal(run('XINFO CONSUMERS orders shop'), '*0\r\n', claim)
  }
  run('XADD orders 1-1 data x')
  run('XREADGROUP GROUP shop first STREAMS orders >')
  t.match(run('XCLAIM orders shop second 0 1-1'), '1-1')
  t.match(run('XAUTOCLAIM orders shop third 0 0'), '1-1')
  t.match(run('XPENDING orders shop'), 'third')
})

t.test('a claim with a count of deliveries below 0 counts as one without', async t => {
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const session = engine.open()
  const run = (command: string): string => encodeResult(engine.run(session, command.split(' ')) as Result, 2)
  run('XADD orders 1-1 data x')
  run('XGROUP CREATE orders shop 0')
  run('XREADGROUP GROUP shop first STREAMS orders >')
  run('XCLAIM orders shop second 0 1-1 RETRYCOUNT 5')
  run('XCLAIM orders shop third 0 1-1 RETRYCOUNT -1')
  t.match(run('XPENDING orders shop - + 1'), /third\r\n:\d+\r\n:6\r\n$/)
})
