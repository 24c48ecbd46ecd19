import {once} from 'node:events'
import grpc from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import type {Admission, Admit} from '../../../../../src/proxy/gateway/admission.ts'
import type {ResiliencyEvent} from '../../../../../src/model/resiliency-event.ts'
import {Pool} from '../../../../../src/proxy/net/pool.ts'
import {TestClock} from '../../../../rig/clock.ts'
import {grpcDial} from '../../../../../src/proxy/gateway/app-channel.ts'
import {ask, request} from '../caller.ts'
import {headers, onStream, reset} from '../frames.ts'
import {policiesOf} from '../policies.ts'
import {echoApp, openTestSidecar, rawApp, type TestSidecar} from '../rig.ts'
import {
  callbackApp,
  ECHO,
  echoClient,
  grpcApp,
  openTestGrpcPort,
  type EchoClient,
  type EchoOptions,
  type GrpcSettings,
  type TestGrpcPort
} from './rig.ts'

const retrying = (times: number, matching = '', duration = '1ms'): string =>
  `policies: {retries: {r: {policy: constant, duration: ${duration}, maxRetries: ${times}${matching === '' ? '' : `, matching: {gRPCStatusCodes: "${matching}"}`}}}}
  targets: {apps: {b: {retry: r}}}`

const timed = (timeout: string): string => `policies: {timeouts: {t: ${timeout}}}\n  targets: {apps: {b: {timeout: t}}}`

interface Opened {
  readonly client: EchoClient
  readonly grpcPort: TestGrpcPort
  readonly events: readonly ResiliencyEvent[]
}

const open = async (
  t: Test,
  spec: string,
  {clock, ...settings}: GrpcSettings & {readonly clock?: TestClock}
): Promise<Opened> => {
  const {interceptor, events} = await policiesOf(spec, clock)
  const grpcPort = await openTestGrpcPort(t, {rules: {interceptor, pipeline: []}, ...settings})
  return {client: echoClient(t, grpcPort.port), grpcPort, events}
}

const statusOf = async (stream: grpc.ClientDuplexStream<Buffer, Buffer>): Promise<grpc.StatusObject> =>
  new Promise(resolve => stream.on('error', () => undefined).on('status', resolve))

/** An app that fails so many times with a code; counts its calls. */
const failing = async (t: Test, times: number, code: number): Promise<{port: number; seen: Buffer[]}> => {
  const seen: Buffer[] = []
  const port = await grpcApp(t, {
    unary: (call, done) => {
      const head = new grpc.Metadata()
      head.set('x-head', seen.length.toString())
      call.sendMetadata(head)
      seen.push(call.request)
      if (seen.length > times) return done(null, call.request)
      const metadata = new grpc.Metadata()
      metadata.set('x-trailer', seen.length.toString())
      metadata.set('grpc-status-details-bin', Buffer.from([8, code]))
      done(Object.assign(new Error('no'), {code, details: `failure ${seen.length}`, metadata}))
    }
  })
  return {port, seen}
}

t.test('after the last attempt the caller gets its status, head, trailers and details', async t => {
  const {port, seen} = await failing(t, Infinity, 5)
  const {client, grpcPort} = await open(t, retrying(2), {appPort: port})
  const outcome = await client.call()
  t.match(outcome, {code: 5, message: 'failure 3'})
  t.strictSame(outcome.head.get('x-head'), ['2'])
  t.strictSame(outcome.trailers.get('x-trailer'), ['3'])
  t.strictSame(outcome.trailers.get('grpc-status-details-bin'), [Buffer.from([8, 5])])
  t.equal(seen.length, 3)
  t.equal(grpcPort.underWay(), 0)
  const earlier = [1, 2].map(() => ({status: 5, isRemote: true}))
  const decisions = [1, 2].map(retry => ({type: 'retrying', cause: 5, retry}))
  t.match(grpcPort.records, [{grpcStatus: 5, attempts: 3, failure: 'failure 3', earlier, decisions}])
  t.equal(grpcPort.records[0]?.earlier?.length, 2)
})

t.test('a call that succeeds at a later attempt hides the earlier ones, whatever its message', async t => {
  for (const size of [0, 5, 200_000, 3 << 20]) {
    const {port, seen} = await failing(t, 2, 14)
    const {client, events} = await open(t, retrying(5), {appPort: port})
    const message = Buffer.alloc(size, 'x')
    const {code, answer, head} = await client.call({}, {message})
    t.match({code, size: answer.length}, {code: 0, size})
    t.strictSame(head.get('x-head'), ['2'])
    t.ok(
      seen.every(each => each.equals(message)),
      'the same each time'
    )
    t.strictSame(
      events.map(({type}) => type),
      ['applied', 'retrying', 'retrying', 'recovered']
    )
    t.match(await client.call({}, {message}), {code: 0}, 'the connection goes on')
  }
})

t.test('which codes are tried again: `matching`', async t => {
  for (const [matching, code, calls] of [
    ['', 1, 4],
    ['', 13, 4],
    ['', 20, 1],
    ['14', 14, 4],
    ['14', 13, 1],
    ['1-5,14', 3, 4],
    ['1-5,14', 6, 1]
  ] as const) {
    const {port, seen} = await failing(t, Infinity, code)
    const {client} = await open(t, retrying(3, matching), {appPort: port})
    await client.call()
    t.equal(seen.length, calls, `${matching}: ${code}`)
  }
})

t.test('a message that the caller has got is not sent again', async t => {
  let count = 0
  const app: EchoOptions = {
    both: call => {
      count++
      call.write(Buffer.from('one'))
      call.on('data', () => call.emit('error', {code: 14, details: 'later'}))
    }
  }
  const {client, events} = await open(t, retrying(3), {appPort: await grpcApp(t, app)})
  const stream = client.both().on('error', () => undefined)
  const got: string[] = []
  stream.on('data', (message: Buffer) => got.push(String(message)))
  const ended = statusOf(stream)
  await once(stream, 'data')
  stream.end(Buffer.from('x'))
  t.match(await ended, {code: 14, details: 'later'})
  t.strictSame(got, ['one'])
  t.equal(count, 1)
  t.match(events.at(-1), {type: 'not-retried', reason: 'the caller has got a message already'})
})

t.test('a connection that breaks off, and a stream that is reset: tried again', async t => {
  for (const kind of ['connection', 'stream'] as const) {
    let count = 0
    const port = await rawApp(t, socket =>
      onStream(socket, stream => {
        count++
        if (kind === 'connection') socket.destroy()
        else socket.write(reset(stream, 2), 'latin1')
      })
    )
    const {client, grpcPort} = await open(t, retrying(2), {appPort: port})
    t.match(await client.call(), {code: kind === 'connection' ? 14 : 13})
    t.equal(count, 3, kind)
    t.match(grpcPort.records, [{attempts: 3}])
    t.equal(grpcPort.underWay(), 0)
  }
})

t.test('a timeout is for the whole call: the app’s call is cancelled', async t => {
  const clock = new TestClock()
  const arrived = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  const appPort = await grpcApp(t, {
    unary: call => {
      arrived.resolve()
      call.on('cancelled', () => cancelled.resolve())
    }
  })
  const {client, grpcPort} = await open(t, timed('20ms'), {appPort, clock})
  const called = client.call()
  await arrived.promise
  clock.pass(20)
  t.match(await called, {code: 4, message: 'context deadline exceeded'})
  await cancelled.promise
  t.equal(grpcPort.underWay(), 0)
  const {client: hasty, events} = await open(t, timed('30s'), {appPort})
  t.match(await hasty.call({}, {options: {deadline: Date.now() + 20}}), {code: 4})
  t.notOk(
    events.some(({type}) => type === 'timed-out'),
    'the deadline of the caller was first'
  )
})

t.test('a timeout in the middle of an answer ends it', async t => {
  const clock = new TestClock()
  const app: EchoOptions = {both: call => call.write(Buffer.from('one'))}
  const {client} = await open(t, timed('5s'), {appPort: await grpcApp(t, app), clock})
  const stream = client.both().on('error', () => undefined)
  const ended = statusOf(stream)
  await once(stream, 'data')
  clock.pass(5000)
  t.match(await ended, {code: 4, details: 'context deadline exceeded'})
})

t.test('a circuit breaker opens for one method, and refuses at once', async t => {
  const {port, seen} = await failing(t, Infinity, 14)
  const spec = `policies: {circuitBreakers: {c: {timeout: 60s, trip: "consecutiveFailures > 1"}}}
  targets: {apps: {b: {circuitBreaker: c}}}`
  const {client, events} = await open(t, spec, {appPort: port})
  for (let n = 0; n < 2; n++) t.match(await client.call(), {code: 14})
  t.match(await client.call(), {code: 2, message: 'circuit breaker is open'})
  t.equal(seen.length, 2)
  t.match(await client.call({}, {path: '/test.Echo/Other'}), {code: 12}, 'each method has its own')
  t.match(
    events.find(({type}) => type === 'breaker-changed'),
    {endpoint: {target: 'b', key: 'b:/test.Echo/Unary'}, to: 'open'}
  )
})

/** Three messages up and down. */
const both = async (client: EchoClient, metadata: Readonly<Record<string, string>> = {}): Promise<unknown[]> => {
  const stream = client.both(metadata).on('error', () => undefined)
  const got: string[] = []
  stream.on('data', (message: Buffer) => got.push(String(message)))
  for (const each of ['1', '2', '3']) stream.write(Buffer.from(each))
  stream.end()
  const {code, details} = await statusOf(stream)
  return [code, details, got.join('')]
}

t.test('a stream: refused with retries, unless it says that it is one; without them it passes', async t => {
  const NO = 'cannot use resiliency policies with retries on streaming RPCs'
  const appPort = await grpcApp(t)
  const {client} = await open(t, retrying(3), {appPort})
  t.match(await both(client), [9, NO])
  for (const word of ['true', 'Y', '1', 'on', 't', 'yes'])
    t.strictSame(await both(client, {'dapr-stream': word}), [0, 'OK', '123'], word)
  t.match(await both(client, {'dapr-stream': 'no'}), [9, NO])
  t.match(await client.call(), {code: 0}, 'one message is no stream')
  const {client: other} = await open(t, timed('30s'), {appPort})
  t.strictSame(await both(other), [0, 'OK', '123'])
})

t.test('what follows the opening of a marked stream is not timed and not tried again', async t => {
  const clock = new TestClock()
  let count = 0
  const app: EchoOptions = {
    both: call => {
      count++
      call.sendMetadata(new grpc.Metadata())
      call.on('data', () => call.emit('error', {code: 14, details: 'no'}))
    }
  }
  const spec = `policies: {timeouts: {t: 5s}, retries: {r: {policy: constant, duration: 1ms, maxRetries: 3}}}
  targets: {apps: {b: {timeout: t, retry: r}}}`
  const {client, grpcPort} = await open(t, spec, {appPort: await grpcApp(t, app), clock})
  const stream = client.both({'dapr-stream': 'true'}).on('error', () => undefined)
  stream.resume()
  const ended = statusOf(stream)
  await once(stream, 'metadata')
  clock.pass(60_000)
  stream.write(Buffer.from('x'))
  t.match(await ended, {code: 14})
  t.equal(count, 1)
  t.match(grpcPort.records, [{attempts: 1, isStream: true}])
})

t.test('calls of the own app have no policies; an id with a namespace is another target', async t => {
  const {port, seen} = await failing(t, Infinity, 14)
  const spec = `policies: {retries: {r: {policy: constant, duration: 1ms, maxRetries: 1}}}
  targets: {apps: {a: {retry: r}, b: {retry: r}}}`
  const {client} = await open(t, spec, {appPort: port})
  const callsOf = async (metadata: Readonly<Record<string, string>>): Promise<number> => {
    const before = seen.length
    t.match(await client.call(metadata), {code: 14})
    return seen.length - before
  }
  t.equal(await callsOf({'dapr-app-id': 'b'}), 2)
  t.equal(await callsOf({'dapr-app-id': 'a'}), 1)
  t.equal(await callsOf({'dapr-app-id': 'b.default'}), 1)
  t.equal(await callsOf({'dapr-app-id': '-', 'dapr-callee-app-id': 'b'}), 2)
})

t.test('time in which a call waits for its app does not count', async t => {
  const clock = new TestClock()
  const pool = new Pool({hosts: ['127.0.0.1'], port: await grpcApp(t), protocol: 'grpc'})
  t.teardown(() => pool.cut())
  const opened = Promise.withResolvers<Admission>()
  const waiting = Promise.withResolvers<void>()
  const admitGrpc: Admit = () => {
    waiting.resolve()
    return {admitted: opened.promise, cancel: () => undefined}
  }
  const {client} = await open(t, timed('5s'), {admitGrpc, clock})
  const called = client.call()
  await waiting.promise
  clock.pass(60_000)
  opened.resolve({ok: true, pool, isLocal: false, token: '', pathPrefix: '', leave: () => undefined})
  t.match(await called, {code: 0})
})

const same = (bytes: Buffer): Buffer => bytes

t.test('a caller who leaves while his call waits for the next attempt: there is none', async t => {
  const clock = new TestClock()
  const {port, seen} = await failing(t, Infinity, 14)
  const {client, grpcPort} = await open(t, retrying(3, '', '1s'), {appPort: port, clock})
  const metadata = new grpc.Metadata()
  metadata.set('dapr-app-id', 'b')
  const call = client.makeUnaryRequest(ECHO.unary.path, same, same, Buffer.from('x'), metadata, () => undefined)
  while (seen.length === 0) await new Promise(setImmediate)
  call.cancel()
  while (grpcPort.records.length === 0) await new Promise(setImmediate)
  clock.pass(10_000)
  await new Promise(setImmediate)
  t.equal(seen.length, 1)
  t.equal(grpcPort.underWay(), 0)
})

t.test('InvokeService: all failures are tried again, whatever `matching` says', async t => {
  let count = 0
  const appPort = await callbackApp(t, () => {
    if (++count < 3) return Object.assign(new Error('no'), {code: 5, details: '', metadata: new grpc.Metadata()})
    return {typeUrl: '', value: Buffer.from('done'), contentType: ''}
  })
  const {client, grpcPort, events} = await open(t, retrying(3, '14'), {appPort})
  const {code, response} = await client.invoke('b', {method: 'x', value: Buffer.from('hello')})
  t.match({code, text: Buffer.from(response.value).toString()}, {code: 0, text: 'done'})
  t.equal(count, 3)
  t.match(grpcPort.records, [{attempts: 3, grpcStatus: 0}])
  t.match(events[0], {endpoint: {target: 'b', key: 'b:x'}})
})

t.test('InvokeService to an app of HTTP: whatever is not 2xx is tried again', async t => {
  for (const [status, calls] of [
    [200, 1],
    [204, 1],
    [302, 3],
    [404, 3],
    [500, 3]
  ] as const) {
    const app = await echoApp(t, (_, response) => void response.writeHead(status).end())
    const {client} = await open(t, retrying(2, '0'), {appPort: app.port, appProtocol: 'http'})
    await client.invoke('b', {method: 'x', verb: 1})
    t.equal(app.seen.length, calls, status.toString())
  }
})

t.test('calls over HTTP to an app of gRPC: its codes are no failures', async t => {
  let count = 0
  const port = await callbackApp(t, () => {
    count++
    return Object.assign(new Error('no'), {code: 14, details: '', metadata: new grpc.Metadata()})
  })
  const {interceptor} = await policiesOf(retrying(3))
  const sidecar: TestSidecar = await openTestSidecar(t, {
    appPort: port,
    protocol: 'grpc',
    dial: grpcDial(1000, () => undefined),
    rules: {interceptor, pipeline: []}
  })
  t.match(await ask(t, sidecar.port, request({path: '/x'})), {status: 503})
  t.equal(count, 1)
})

t.test('a hostile app: what follows the end of an attempt is of no interest', async t => {
  const port = await rawApp(t, socket =>
    onStream(socket, stream => {
      const failed = {':status': '200', 'content-type': 'application/grpc', 'grpc-status': '14'}
      socket.write(headers(stream, failed) + reset(stream, 2), 'latin1')
    })
  )
  const {client, grpcPort} = await open(t, retrying(1), {appPort: port})
  t.match(await client.call(), {code: 14})
  t.match(grpcPort.records, [{attempts: 2, grpcStatus: 14}])
  t.strictSame(grpcPort.warnings, [])
})
