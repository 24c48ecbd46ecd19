import t from 'tap'
import {RedisEngine} from '../../engine/engine.ts'

t.test('a stream of another program keeps all its entries, also those that every group has acknowledged', async t => {
  const engine = new RedisEngine()
  t.teardown(() => engine.close())
  const session = engine.open()
  const run = (...args: readonly string[]): unknown => engine.run(session, args)
  for (const [key, fields] of [
    ['ledger', ['amount', '5']],
    ['journal', ['type', 'order', 'data', '{}']],
    ['diary', ['data', '{}', 'type', 'order']],
    ['topic', ['data', '{}']], // as Dapr's components write events
    ['raw', ['metadata', '{}', 'data', '{}']]
  ] as const) {
    run('XGROUP', 'CREATE', key, 'g', '0', 'MKSTREAM')
    for (let at = 1; at <= 10_100; at++) run('XADD', key, `${at}-0`, ...fields)
    run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', key, '>')
    run('XACK', key, 'g', ...Array.from({length: 10_100}, (_, at) => `${at + 1}-0`))
  }
  for (const key of ['ledger', 'journal', 'diary']) t.equal(run('XLEN', key), 10_100)
  t.equal(run('XLEN', 'topic'), 10_000)
  t.equal(run('XLEN', 'raw'), 10_000)
})
