import {mock} from 'node:test'
import t from 'tap'
import {collectGarbage} from '../../../platform/heap.ts'
import {RedisEngine} from '../engine/engine.ts'

t.test('a scan over several connections sees each key, also while others are deleted', async t => {
  const engine = new RedisEngine()
  const sessions = [engine.open(), engine.open()]
  const run = (at: number, ...args: readonly string[]): unknown => engine.run(sessions[at % 2] ?? engine.open(), args)
  for (let key = 0; key < 100; key++) run(0, 'SET', `k${key}`, 'v')
  const seen = new Set<string>()
  let cursor = '0'
  for (let turn = 1; turn === 1 || cursor !== '0'; turn++) {
    const [next, keys] = run(turn, 'SCAN', cursor, 'COUNT', '10') as readonly [string, readonly string[]]
    cursor = next
    for (const key of keys) seen.add(key)
    if (keys.length > 0) run(turn, 'DEL', ...keys)
  }
  t.equal(seen.size, 100)
  t.equal(run(0, 'DBSIZE'), 0)
})

t.test('a cursor that comes again, or is unknown, begins behind as many keys', async t => {
  const engine = new RedisEngine()
  const session = engine.open()
  for (let key = 0; key < 30; key++) engine.run(session, ['SET', `k${key}`, 'v'])
  const scan = (cursor: string): readonly [string, readonly string[]] =>
    engine.run(session, ['SCAN', cursor, 'COUNT', '10']) as unknown as readonly [string, readonly string[]]
  const [cursor] = scan('0')
  t.equal(scan(cursor)[1][0], 'k10')
  t.equal(scan(cursor)[1][0], 'k10')
  t.same(scan('999999999'), ['0', []])
})

t.test('a scan that its client does not continue keeps no deleted keys', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const engine = new RedisEngine()
  const session = engine.open()
  for (let key = 0; key < 30; key++) engine.run(session, ['HSET', `k${key}`, 'f', 'v'])
  engine.run(session, ['SCAN', '0'])
  const gone = new WeakRef(engine.database(0).peek('k5') as Map<string, string>)
  engine.run(session, ['FLUSHALL'])
  mock.timers.tick(60_000)
  await new Promise(setImmediate)
  collectGarbage()
  t.equal(gone.deref(), undefined)
})

t.test('a scan has one timer, and none once it is over', async t => {
  const [made, cleared] = [mock.method(globalThis, 'setTimeout'), mock.method(globalThis, 'clearTimeout')]
  t.teardown(() => mock.restoreAll())
  const engine = new RedisEngine()
  const session = engine.open()
  for (let key = 0; key < 500; key++) engine.run(session, ['SET', `k${key}`, 'v'])
  let cursor = '0'
  do [cursor] = engine.run(session, ['SCAN', cursor]) as unknown as readonly [string]
  while (cursor !== '0')
  const gone = new Set<unknown>(cleared.mock.calls.map(({arguments: [timer]}) => timer))
  t.equal(made.mock.callCount(), 50)
  t.same(
    made.mock.calls.filter(({result}) => !gone.has(result)),
    []
  )
})

t.test('a scan that its client continues late sees each key that is there all the time', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const engine = new RedisEngine()
  const session = engine.open()
  const scan = (cursor: string): readonly [string, readonly string[]] =>
    engine.run(session, ['SCAN', cursor, 'COUNT', '10']) as unknown as readonly [string, readonly string[]]
  for (let key = 0; key < 40; key++) engine.run(session, ['SET', `k${key}`, 'v'])
  const [cursor] = scan('0')
  engine.run(session, ['DEL', 'k1', 'k2', 'k3'])
  mock.timers.tick(60_000)
  engine.run(session, ['DEL', 'k4'])
  const [next, keys] = scan(cursor)
  t.ok(keys.includes('k10'))
  t.ok([...keys, ...scan(next)[1]].includes('k20'))
})

t.test('so does one whose keys were removed before its latest step, also when it pauses again', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const engine = new RedisEngine()
  const session = engine.open()
  const found: string[] = []
  const scan = (cursor: string): string => {
    const [next, keys] = engine.run(session, ['SCAN', cursor, 'COUNT', '10']) as unknown as [string, readonly string[]]
    found.push(...keys)
    return next
  }
  for (let key = 0; key < 60; key++) engine.run(session, ['SET', `k${key}`, 'v'])
  let cursor = scan('0')
  for (let key = 0; cursor !== '0'; key++) {
    engine.run(session, ['DEL', `k${key}`])
    cursor = scan(cursor)
    engine.run(session, ['DEL', `k${50 - key}`])
    mock.timers.tick(60_000)
  }
  const missed = Array.from({length: 60}, (_, key) => `k${key}`)
    .filter(key => engine.run(session, ['EXISTS', key]) === 1)
    .filter(key => !found.includes(key))
  t.strictSame(missed, [])
})
