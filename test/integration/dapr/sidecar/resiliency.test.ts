import {once} from 'node:events'
import http2 from 'node:http2'
import t, {type Test} from 'tap'
import type {Admission, Admit} from '../../../../src/proxy/gateway/admission.ts'
import type {CallRecord} from '../../../../src/model/call.ts'
import {TestClock} from '../../../rig/clock.ts'
import {policiesOf} from './policies.ts'
import {ask, chunked, connect, request} from './caller.ts'
import {echoApp, onBothPaths, openTestSidecar, rawApp, onRequest, type SidecarSettings} from './rig.ts'

/** A sidecar whose calls run under the policies of a Resiliency resource. */
const open = async (t: Test, spec: string, settings: SidecarSettings & {readonly clock?: TestClock}) => {
  const {clock, ...rest} = settings
  const {interceptor, events} = await policiesOf(spec, clock)
  const records: CallRecord[] = []
  const sidecar = await openTestSidecar(t, {
    rules: {interceptor, pipeline: []},
    recorded: record => records.push(record),
    ...rest
  })
  return {...sidecar, events, records}
}

const retrying = (times: number, matching = '', duration = '1ms'): string =>
  `policies: {retries: {r: {policy: constant, duration: ${duration}, maxRetries: ${times}${matching === '' ? '' : `, matching: {httpStatusCodes: "${matching}"}`}}}}
  targets: {apps: {b: {retry: r}}}`

onBothPaths('after the last attempt the caller gets the app’s own response, head and body', async t => {
  const app = await echoApp(t, (_, response) => {
    response.writeHead(400, {'x-own': 'yes'})
    response.end('no')
  })
  const {port, records, underWay} = await open(t, retrying(3), {appPort: app.port})
  const caller = await connect(t, port)
  caller.send(request({path: '/x', body: 'hello'}))
  t.match(await caller.answer(), {status: 400, body: 'no', headers: {'x-own': 'yes'}})
  t.same(
    app.seen.map(({method, url, body}) => [method, url, body]),
    Array.from({length: 4}, () => ['POST', '/x', 'hello'])
  )
  t.equal(underWay(), 0, 'every admission was given back')
  t.match(records, [{status: 400, attempts: 4, failure: '', earlier: [{status: 400}, {status: 400}, {status: 400}]}])
  t.match(records[0]?.decisions, [
    {type: 'retrying', policy: 'r', cause: 400, retry: 1, maxRetries: 3},
    {type: 'retrying', policy: 'r', cause: 400, retry: 2},
    {type: 'retrying', policy: 'r', cause: 400, retry: 3}
  ])
})

onBothPaths('a body of no known length is sent once, as by Dapr, and the record says why', async t => {
  const app = await echoApp(t, (_, response) => response.writeHead(503).end('no'))
  const {port, records, underWay} = await open(t, retrying(5), {appPort: app.port})
  t.match(await ask(t, port, chunked(['abc', 'd'.repeat(100_000)])), {status: 503, body: 'no'})
  t.strictSame(
    app.seen.map(({body}) => body.length),
    [100_003]
  )
  t.equal(underWay(), 0)
  t.match(records, [{attempts: 1, decisions: [{type: 'not-retried', reason: 'its body has no known length'}]}])
})

onBothPaths('a call that succeeds at a later attempt hides the earlier ones, whatever its body', async t => {
  for (const [name, message] of [
    ['no body', request({method: 'GET', path: '/x'})],
    ['a counted one', request({path: '/x', body: 'z'.repeat(300_000)})]
  ] as const) {
    let count = 0
    const app = await echoApp(t, (incoming, response) => {
      if (++count < 3) return void response.writeHead(503).end('x'.repeat(100_000))
      response.end(`ok ${incoming.method ?? ''}`)
    })
    const {port, events} = await open(t, retrying(5), {appPort: app.port})
    const caller = await connect(t, port)
    caller.send(message)
    t.match(await caller.answer(), {status: 200, body: /^ok /}, name)
    t.equal(app.seen.length, 3, name)
    t.equal(new Set(app.seen.map(({body}) => body)).size, 1, `${name}: the same each time`)
    t.same(
      events.map(({type}) => type),
      ['applied', 'retrying', 'retrying', 'recovered'],
      name
    )
    caller.send(request({method: 'GET', path: '/again'}))
    t.match(await caller.answer(), {status: 200}, `${name}: the connection goes on`)
  }
})

t.test('which statuses are sent again: Dapr’s table of `matching`', async t => {
  const matching = '100,101,102,200,304,403,505,501-503,509,546,547'
  for (const [status, calls] of [
    [200, 1],
    [204, 1],
    [304, 1],
    [404, 1],
    [504, 1],
    [548, 1],
    [403, 4],
    [501, 4],
    [502, 4],
    [503, 4],
    [505, 4],
    [509, 4],
    [546, 4],
    [547, 4]
  ] as const) {
    const app = await echoApp(t, (_, response) => void response.writeHead(status).end())
    const {port} = await open(t, retrying(3, matching), {appPort: app.port})
    const caller = await connect(t, port)
    caller.send(request({method: 'GET'}))
    t.match(await caller.answer(), {status}, status.toString())
    t.equal(app.seen.length, calls, status.toString())
  }
})

onBothPaths('a call is retried when the app closes the connection; the final error has the reason', async t => {
  let count = 0
  const port = await rawApp(t, socket => onRequest(socket, () => (count++, socket.destroy())))
  const sidecar = await open(t, retrying(2), {appPort: port})
  const caller = await connect(t, sidecar.port)
  caller.send(request({body: 'x'}))
  t.match(await caller.answer(), {status: 500, body: /ERR_DIRECT_INVOKE.*(?:EOF|reset)/})
  t.equal(count, 3)
  t.equal(sidecar.underWay(), 0)
})

onBothPaths('a timeout ends the attempt and its connection', async t => {
  const closed = Promise.withResolvers<void>()
  const silent = await rawApp(t, socket => socket.on('data', () => undefined).on('close', () => closed.resolve()))
  const spec = 'policies: {timeouts: {t: 20ms}}\n  targets: {apps: {b: {timeout: t}}}'
  const {port, underWay} = await open(t, spec, {appPort: silent})
  const caller = await connect(t, port)
  caller.send(request({method: 'GET'}))
  t.match(await caller.answer(), {status: 500, body: /failed to invoke, id: b, err: context deadline exceeded/})
  t.equal(underWay(), 0)
  await closed.promise
})

t.test('time in which the call is held does not count against its timeout', async t => {
  const clock = new TestClock()
  const app = await echoApp(t)
  const opened = Promise.withResolvers<Admission>()
  const waiting = Promise.withResolvers<void>()
  let pool: Admission | undefined
  const admit: Admit = () => {
    waiting.resolve()
    return {admitted: opened.promise, cancel: () => undefined}
  }
  const spec = 'policies: {timeouts: {t: 5s}}\n  targets: {apps: {b: {timeout: t}}}'
  const sidecar = await open(t, spec, {appPort: app.port, admit, clock})
  pool = {ok: true, pool: sidecar.pool, isLocal: false, token: '', pathPrefix: '', leave: () => undefined}
  const caller = await connect(t, sidecar.port)
  caller.send(request({method: 'GET'}))
  await waiting.promise
  clock.pass(60_000)
  opened.resolve(pool)
  t.match(await caller.answer(), {status: 200})
})

t.test('time in which a call waits for a slot counts, but not while those before it wait for the app', async t => {
  const spec = 'policies: {timeouts: {t: 5s}}\n  targets: {apps: {b: {timeout: t}}}'
  for (const [leftMs, answer] of [
    [1000, {status: 200}],
    [2500, {status: 500, body: /context deadline exceeded/}]
  ] as const) {
    const clock = new TestClock()
    const app = await echoApp(t)
    const opened = Promise.withResolvers<Admission>()
    const waiting = Promise.withResolvers<(isCounted: boolean) => void>()
    const admit: Admit = () => ({
      admitted: opened.promise,
      isCounted: true,
      onCounted: waiting.resolve,
      cancel: () => undefined
    })
    const {port, pool} = await open(t, spec, {appPort: app.port, admit, clock})
    const caller = await connect(t, port)
    caller.send(request({method: 'GET'}))
    const count = await waiting.promise
    clock.pass(3000)
    count(false)
    clock.pass(60_000)
    count(true)
    clock.pass(leftMs)
    opened.resolve({ok: true, pool, isLocal: false, token: '', pathPrefix: '', leave: () => undefined})
    t.match(await caller.answer(), answer)
    count(false)
  }
})

onBothPaths('a circuit breaker opens, refuses at once, and reports it', async t => {
  const app = await echoApp(t, (_, response) => void response.writeHead(500).end())
  const spec = `policies: {circuitBreakers: {c: {timeout: 60s, trip: "consecutiveFailures > 1"}}}
  targets: {apps: {b: {circuitBreaker: c}}}`
  const {port, events} = await open(t, spec, {appPort: app.port})
  const caller = await connect(t, port)
  for (const status of [500, 500]) {
    caller.send(request({method: 'GET', path: '/x'}))
    t.match(await caller.answer(), {status})
  }
  caller.send(request({method: 'GET', path: '/x'}))
  t.match(await caller.answer(), {status: 500, body: /failed to invoke, id: b, err: circuit breaker is open/})
  t.equal(app.seen.length, 2)
  caller.send(request({method: 'GET', path: '/other'}))
  t.match(await caller.answer(), {status: 500, body: ''}, 'each method has its own')
  t.ok(events.some(event => event.type === 'breaker-changed' && event.to === 'open'))
})

t.test('a caller who leaves while his call waits for the next attempt: there is none', async t => {
  const clock = new TestClock()
  const app = await echoApp(t, (_, response) => void response.writeHead(503).end())
  const {port, records, underWay} = await open(t, retrying(3, '', '1s'), {appPort: app.port, clock})
  const caller = await connect(t, port)
  caller.send(request({body: 'x'}))
  while (app.seen.length === 0) await new Promise(setImmediate)
  caller.socket.destroy()
  while (records.length === 0) await new Promise(setImmediate)
  clock.pass(10_000)
  await new Promise(setImmediate)
  t.equal(app.seen.length, 1)
  t.equal(underWay(), 0)
})

t.test('over HTTP/2, too', async t => {
  let count = 0
  const app = await echoApp(t, (_, response) => void response.writeHead(++count < 3 ? 503 : 200).end('done'))
  const {port} = await open(t, retrying(3), {appPort: app.port})
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  const stream = session.request({':method': 'POST', ':path': '/x', 'dapr-app-id': 'b', 'content-length': '50000'})
  stream.end('q'.repeat(50_000))
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  stream.resume()
  await once(stream, 'close')
  t.equal(headers[':status'], 200)
  t.same(
    app.seen.map(({body}) => body.length),
    [50_000, 50_000, 50_000]
  )
})

t.test('a body that is too large to be kept is sent once, and the log says why', async t => {
  const app = await echoApp(t, (_, response) => void response.writeHead(503).end('busy'))
  const {port, events} = await open(t, retrying(3), {
    appPort: app.port,
    limits: {maxBodyBytes: 0, readBufferBytes: 4096}
  })
  const size = 65 * 1024 * 1024
  const caller = await connect(t, port)
  caller.send(`POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`)
  caller.socket.write(Buffer.alloc(size, 'x'))
  t.match(await caller.answer(), {status: 503, body: 'busy'})
  t.equal(app.seen.length, 1)
  t.match(
    events.filter(({type}) => type === 'not-retried'),
    [{reason: /too large/}]
  )
})

t.test('a target without policies is called as ever', async t => {
  const app = await echoApp(t, (_, response) => void response.writeHead(503).end())
  const {port, events} = await open(t, retrying(3), {appPort: app.port})
  t.match(await ask(t, port, request({method: 'GET', path: '/x'}).replace('/invoke/b/', '/invoke/a/')), {status: 503})
  t.equal(app.seen.length, 1)
  t.same(events, [])
})

onBothPaths('an id with a namespace is another target: it does not get the policies of the id alone', async t => {
  const app = await echoApp(t, (_, response) => response.writeHead(500).end())
  for (const [target, called, attempts] of [
    ['b', 'b', 2],
    ['b', 'b.default', 1],
    ['b.default', 'b.default', 2],
    ['b.default', 'b', 1]
  ] as const) {
    const {port, records} = await open(t, retrying(1).replace('{b: {retry', `{${target}: {retry`), {appPort: app.port})
    t.match(await ask(t, port, request({path: '/x', body: 'hello'}).replace('/invoke/b/', `/invoke/${called}/`)), {
      status: 500
    })
    t.match(records, [{attempts}], `${called} where ${target} has policies`)
  }
})
