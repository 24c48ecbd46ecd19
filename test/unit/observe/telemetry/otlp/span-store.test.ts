import t from 'tap'
import {KIND} from '../../../../../src/observe/telemetry/otlp/received.ts'
import {SpanStore} from '../../../../../src/observe/telemetry/otlp/span-store.ts'
import {madeSpan} from '../../../../rig/made-span.ts'
import {cpuMs} from '../../../../rig/cpu-ms.ts'

const log = (traceId: string, text: string) => ({
  app: 'shop',
  isApp: true,
  traceId: traceId.padEnd(32, '0'),
  spanId: '',
  at: 0,
  severity: 9,
  text,
  exception: ''
})

t.test('the oldest spans and log records go first, by number and by size', async t => {
  const store = new SpanStore({isRecorded: () => true, maxItems: 100, maxBytes: 50_000})
  for (let number = 0; number < 1000; number++) {
    store.addSpan(madeSpan(`${1000 + number} ${1000 + number}`, [0, 1]), '')
    store.addLog(log(`${1000 + number}`, 'a'))
  }
  t.equal(store.size, 100)
  t.equal(store.traces.size, 50)
  t.ok(store.traces.get('1999'.padEnd(32, '0'))?.spans.get('1999'.padEnd(16, '0')))
  t.notOk(store.traces.get('1900'.padEnd(32, '0'))?.spans.get('1900'.padEnd(16, '0')))
  const attributes = [['long', 'x'.repeat(4000)]] as const
  for (let number = 0; number < 50; number++)
    store.addSpan(madeSpan(`${2000 + number} ${2000 + number}`, [0, 1], {details: {attributes}}), '')
  t.ok(store.size < 15, `${store.size} of 4,300 bytes in 50,000`)
})

t.test('one trace of a hundred thousand spans takes as much as others', async t => {
  const store = new SpanStore({isRecorded: () => true})
  for (let number = 0; number < 100_000; number++)
    store.addSpan(madeSpan(`a ${(number + 0x100000).toString(16)}`, [0, 1]), '')
  t.equal(store.size, 20_000)
  t.equal(store.traces.size, 1)
})

t.test('a span that is sent twice is kept once', async t => {
  const store = new SpanStore({isRecorded: () => true})
  for (const _ of [1, 2]) store.addSpan(madeSpan('a b', [0, 1]), '')
  t.equal(store.size, 1)
})

t.test('nothing is kept of an app that is not recorded, of a question of its sidecar, and of a sidecar', async t => {
  const store = new SpanStore({isRecorded: app => app !== 'secret', isHealthPath: path => path === '/live'})
  store.addSpan(madeSpan('a 1', [0, 1], {app: 'secret'}), '')
  store.addLog({...log('a', 'x'), app: 'secret'})
  store.addSpan(madeSpan('b 1', [0, 1]), 'dapr-diagnostics')
  for (const [trace, path] of ['/dapr/config', '/dapr/subscribe?x', '/healthz', '/live'].entries()) {
    const details = {attributes: [['http.target', path]] as const}
    store.addSpan(madeSpan(`c${trace} 2 1`, [0, 1]), '')
    store.addSpan(madeSpan(`c${trace} 1`, [0, 1], {kind: KIND.server, details}), '')
    store.addSpan(madeSpan(`c${trace} 3 1`, [0, 1]), '')
  }
  t.strictSame([...store.traces.keys()], [])
  t.equal(store.size, 0, 'nor does what came before the question count')
  const below = {kind: KIND.server, details: {attributes: [['url.path', '/healthz']] as const}}
  store.addSpan(madeSpan('d 1 2', [0, 1], below), '')
  t.equal(store.traces.size, 1, 'an app asks another one in a trace')
})

t.test('questions of the sidecar take no longer where much is kept, and give back what their traces took', async t => {
  const details = {attributes: [['url.path', '/healthz']] as const}
  const msOf = (kept: number): number => {
    const store = new SpanStore({isRecorded: () => true, maxItems: 20_000, maxBytes: kept * 1000 + 5000})
    for (let number = 0; number < kept; number++) store.addSpan(madeSpan(`a${number} ${0x100000 + number}`, [0, 1]), '')
    const spans = Array.from({length: 500}, (_, trace) => [
      madeSpan(`f${trace} 2 1`, [0, 1], {details: {attributes: [['long', 'x'.repeat(4000)]]}}),
      madeSpan(`f${trace} 1`, [0, 1], {kind: KIND.server, details})
    ])
    const begin = cpuMs()
    for (const span of spans.flat()) store.addSpan(span, '')
    const ms = cpuMs() - begin
    t.equal(store.size, kept, 'nothing else was dropped for them')
    return ms
  }
  msOf(10)
  const [few, many] = [msOf(10), msOf(19_000)]
  t.ok(many < 20 * few + 50, `${few} ms and ${many} ms`)
})

t.test('many calls of one long trace are asked for a span in no time, and the answer is that of now', async t => {
  const msOf = (kept: number): number => {
    const store = new SpanStore({isRecorded: () => true})
    for (let number = 0; number < kept; number++) store.addSpan(madeSpan(`a ${0x100000 + number}`, [0, 1]), '')
    const trace = 'a'.padEnd(32, '0')
    const begin = cpuMs()
    for (let call = 0; call < 500; call++) if (store.hasSpan(trace, 'charge')) t.fail('there is none')
    const ms = cpuMs() - begin
    store.addSpan(madeSpan('a charge', [0, 1]), '')
    t.equal(store.hasSpan(trace, 'charge'), true)
    t.equal(store.hasSpan('b'.padEnd(32, '0'), 'charge'), false)
    return ms
  }
  msOf(10)
  const [few, many] = [msOf(10), msOf(10_000)]
  t.ok(many < 20 * few + 100, `${few} ms and ${many} ms`)
})

t.test('an attribute is found by its name, whatever characters that has, and a text with = in any value', async t => {
  const store = new SpanStore({isRecorded: () => true})
  const attributes = [
    ['http.request.header.x-user', '7'],
    ['db.statement', 'select * from users where id=5']
  ] as const
  store.addSpan(madeSpan('a 1', [0, 1], {details: {attributes}}), '')
  const has = (text: string): boolean => store.hasSpan('a'.padEnd(32, '0'), text)
  t.equal(has('http.request.header.x-user=7'), true)
  t.equal(has('http.request.header.x-user=8'), false)
  t.equal(has('id=5'), true)
  t.equal(has('db.statement=users'), true)
  t.equal(has('statement=users'), false)
})
