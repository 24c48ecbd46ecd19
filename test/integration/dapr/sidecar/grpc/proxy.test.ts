import {EventEmitter, once} from 'node:events'
import net from 'node:net'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import grpc from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import {listen, rawApp} from '../rig.ts'
import {connect} from '../caller.ts'
import {headers, onStream, PREFACE} from '../frames.ts'
import {
  ECHO,
  echoClient,
  grpcApp,
  openTestGrpcPort,
  type EchoClient,
  type EchoOptions,
  type GrpcSettings,
  type TestGrpcPort
} from './rig.ts'

const opened = async (
  t: Test,
  settings: GrpcSettings = {},
  app: EchoOptions = {}
): Promise<{client: EchoClient; grpcPort: TestGrpcPort; seen: grpc.Metadata[]}> => {
  const seen: grpc.Metadata[] = []
  const appPort = await grpcApp(t, {
    unary: (call, done) => {
      seen.push(call.metadata)
      done(null, call.request)
    },
    ...app
  })
  const grpcPort = await openTestGrpcPort(t, {appPort, ...settings})
  return {client: echoClient(t, grpcPort.port), grpcPort, seen}
}

t.test('the four kinds of calls pass, whatever their size', async t => {
  const {client, grpcPort} = await opened(t)
  t.match(await client.call(), {code: 0, answer: 'hello'})
  t.match(await client.call({}, {message: Buffer.alloc(0)}), {code: 0, answer: ''})
  t.equal((await client.call({}, {message: Buffer.alloc(3 << 20, 'x')})).answer.length, 3 << 20)
  const down: string[] = []
  for await (const message of client.down()) down.push(String(message))
  t.strictSame(down, ['0', '1', '2', '3', '4'])
  const {promise, resolve} = Promise.withResolvers<string>()
  const up = client.up((error, answer) => resolve(error?.message ?? String(answer)))
  for (let n = 0; n < 300; n++) up.write(Buffer.alloc(100_000))
  up.end()
  t.equal(await promise, (300 * 100_000).toString())
  const both = client.both()
  let size = 0
  for (let n = 0; n < 300; n++) both.write(Buffer.alloc(100_000))
  both.end()
  for await (const message of both) size += (message as Buffer).length
  t.equal(size, 300 * 100_000)
  t.equal(grpcPort.underWay(), 0)
  t.match(grpcPort.records.at(-1), {grpcStatus: 0, requestBytes: 300 * 100_005, responseBytes: 300 * 100_005})
  t.strictSame(grpcPort.warnings, [])
})

t.test('150 calls at once all pass, also to an app that takes 7 at a time', async t => {
  const {client, grpcPort} = await opened(t, {}, {settings: {'grpc.max_concurrent_streams': 7}})
  const outcomes = await Promise.all(
    Array.from({length: 150}, async (_, n) => client.call({}, {message: Buffer.from(n.toString())}))
  )
  t.strictSame(
    outcomes.map(({answer}) => answer),
    Array.from({length: 150}, (_, n) => n.toString())
  )
  t.equal(grpcPort.underWay(), 0)
})

t.test('metadata reaches the app as it was sent; ids, tokens and what was spoofed do not', async t => {
  const {client, seen} = await opened(t, {tokens: {api: '', app: 'own'}})
  await client.call({
    'x-one': ['1', '2'],
    'x-empty': '',
    'x-bin': Buffer.from([0, 255, 10]),
    'dapr-api-token': 'secret',
    'dapr-caller-app-id': 'spoofed',
    'dapr-caller-namespace': 'spoofed'
  })
  const metadata = seen[0]
  t.strictSame(metadata?.get('x-one').join(), '1, 2')
  t.strictSame(metadata?.get('x-empty'), [''])
  t.strictSame(metadata?.get('x-bin'), [Buffer.from([0, 255, 10])])
  t.strictSame(metadata?.get('dapr-app-id'), [])
  t.strictSame(metadata?.get('dapr-api-token'), [])
  t.strictSame(metadata?.get('dapr-caller-app-id'), ['a'])
  t.strictSame(metadata?.get('dapr-callee-app-id'), ['b'])
  t.strictSame(metadata?.get('dapr-caller-namespace'), [])
  await client.call({'dapr-app-id': 'a', 'dapr-api-token': 'secret'})
  t.strictSame(seen[1]?.get('dapr-api-token'), ['own'])
  t.strictSame(seen[1]?.get('dapr-caller-app-id'), [])
  await client.call({'dapr-app-id': 'nobody', 'dapr-callee-app-id': 'b.default'})
  t.equal(seen.length, 3)
})

t.test('a call has one trace, in both forms: its own, or a new one', async t => {
  const {client, seen, grpcPort} = await opened(t)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const binary = Buffer.from('00000af7651916cd43dd8448eb211c80319c01b7ad6b71692033310201', 'hex')
  const traceOf = (n: number): unknown[] => [seen[n]?.get('traceparent'), seen[n]?.get('grpc-trace-bin')]
  await client.call({traceparent})
  t.strictSame(traceOf(0), [[traceparent], [binary]])
  await client.call({'grpc-trace-bin': binary})
  t.strictSame(traceOf(1), [[traceparent], [binary]])
  await client.call({traceparent: 'nonsense', 'grpc-trace-bin': Buffer.from('short')})
  const [[fresh]] = traceOf(2) as [string[]]
  t.match(fresh, /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/)
  t.equal(grpcPort.records[2]?.trace, fresh)
  await client.call({'dapr-app-id': 'a'})
  t.strictSame(traceOf(3), [[], []])
})

t.test('the app’s head, trailers, status, message and details reach the caller', async t => {
  const {client} = await opened(
    t,
    {},
    {
      unary: (call, done) => {
        const head = new grpc.Metadata()
        head.set('x-head', 'h')
        head.set('y-bin', Buffer.from([1, 254]))
        call.sendMetadata(head)
        const trailers = new grpc.Metadata()
        trailers.set('x-trailer', 't')
        const code = Number(call.request.toString())
        if (code === 0) return done(null, call.request, trailers)
        trailers.set('grpc-status-details-bin', Buffer.from([8, code]))
        done(Object.assign(new Error('bad'), {code, details: `bad ü 100% ${code}`, metadata: trailers}))
      }
    }
  )
  for (let code = 0; code <= 16; code++) {
    const outcome = await client.call({}, {message: Buffer.from(code.toString())})
    t.equal(outcome.code, code)
    t.equal(outcome.message, code === 0 ? '' : `bad ü 100% ${code}`)
    t.strictSame(outcome.head.get('x-head'), ['h'])
    t.strictSame(outcome.head.get('y-bin'), [Buffer.from([1, 254])])
    t.strictSame(outcome.trailers.get('x-trailer'), ['t'])
    if (code > 0) t.strictSame(outcome.trailers.get('grpc-status-details-bin'), [Buffer.from([8, code])])
  }
})

t.test('a callee that is not named, or not there: Dapr’s words, and why', async t => {
  const {client, grpcPort} = await opened(t)
  for (const [id, code, message] of [
    ['-', 2, 'cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata'],
    ['', 2, 'app id is empty'],
    ['a.b.c', 2, 'invalid app id a.b.c'],
    ['nobody', 2, "couldn't find service: nobody (why)"]
  ] as const)
    t.match(await client.call({'dapr-app-id': id}), {code, message})
  t.match(grpcPort.records.at(-1), {grpcStatus: 2, failure: "couldn't find service: nobody (why)"})
  const closed = await openTestGrpcPort(t, {appPort: 1})
  t.match(await echoClient(t, closed.port).call(), {
    code: 14,
    message:
      'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused" (why)'
  })
  t.equal(closed.underWay(), 0)
  const spaced = ' an error without words: '
  const denying = await openTestGrpcPort(t, {admitGrpc: () => ({ok: false, status: 500, error: spaced})})
  t.match(await echoClient(t, denying.port).call(), {code: 2, message: spaced})
})

/** What a raw caller sends first: the preface, settings, the head of a call. */
const RAW_CALL = (fields: Readonly<Record<string, string>> = {}): string =>
  PREFACE +
  headers(
    1,
    {
      ':method': 'POST',
      ':scheme': 'http',
      ':path': ECHO.both.path,
      'content-type': 'application/grpc',
      'dapr-app-id': 'b',
      ...fields
    },
    0
  )

t.test('a caller who cancels, or leaves, ends the call at the app at once', async t => {
  const count = {begun: 0, cancelled: 0}
  const both: NonNullable<EchoOptions['both']> = call => {
    count.begun++
    call.on('cancelled', () => count.cancelled++)
  }
  const {client, grpcPort} = await opened(t, {}, {both})
  const call = client.both()
  call.on('error', () => undefined)
  while (count.begun < 1) await new Promise(setImmediate)
  call.cancel()
  while (count.cancelled < 1 || grpcPort.underWay() > 0) await new Promise(setImmediate)
  const caller = await connect(t, grpcPort.port)
  caller.send(RAW_CALL())
  while (count.begun < 2) await new Promise(setImmediate)
  caller.socket.destroy()
  while (count.cancelled < 2 || grpcPort.underWay() > 0) await new Promise(setImmediate)
  t.match(grpcPort.records.at(-1), {grpcStatus: 1, failure: 'the caller left'})
})

t.test('a deadline reaches the app, and ends a call whose app does not obey it', async t => {
  const timeouts: unknown[] = []
  const appPort = await rawApp(t, socket =>
    onStream(socket, (_, head) => timeouts.push(/grpc-timeout.(\w+)/.exec(head)?.[1]))
  )
  const grpcPort = await openTestGrpcPort(t, {appPort})
  const caller = await connect(t, grpcPort.port)
  caller.send(RAW_CALL({'grpc-timeout': '500m'}))
  await caller.until(text => text.includes('context deadline exceeded'))
  t.match(caller.text, /grpc-status.4.*context deadline exceeded/s)
  while (timeouts.length === 0) await new Promise(setImmediate)
  t.match(timeouts[0], /^500m$|^\d+u$/)
  t.equal(grpcPort.underWay(), 0)
  t.match(grpcPort.records[0], {grpcStatus: 4})
})

t.test('messages that are too large, either way', async t => {
  const {client} = await opened(
    t,
    {limits: {maxBodyBytes: 1000, readBufferBytes: 4096}},
    {unary: (_, done) => done(null, Buffer.alloc(1001))}
  )
  t.match(await client.call({}, {message: Buffer.alloc(1001)}), {
    code: 8,
    message: 'grpc: received message larger than max (1001 vs. 1000)'
  })
  t.match(await client.call(), {code: 8, message: 'grpc: received message larger than max (1001 vs. 1000)'})
})

t.test('messages that are too large for the callee alone, either way, alone and in a stream', async t => {
  const {client, grpcPort} = await opened(
    t,
    {maxMessageBytes: 1000},
    {unary: (_, done) => done(null, Buffer.alloc(1001))}
  )
  const expected = {code: 8, message: 'grpc: received message larger than max (1001 vs. 1000)'}
  t.match(await client.call({}, {message: Buffer.alloc(1001)}), expected)
  t.match(await client.call(), expected)
  const stream = client.both()
  stream.on('error', () => undefined).write(Buffer.alloc(1000))
  t.equal(((await once(stream, 'data')) as Buffer[])[0]?.length, 1000)
  const ended = new Promise(resolve => stream.on('status', resolve))
  stream.write(Buffer.alloc(1001))
  t.match(await ended, {code: 8, details: expected.message})
  t.equal(grpcPort.underWay(), 0)
})

t.test('a path that Dapr refuses, for the own app alone', async t => {
  const {client} = await opened(t)
  const path = '/test.Echo/Un#ary'
  t.match(await client.call({'dapr-app-id': 'a'}, {path}), {
    code: 3,
    message: 'invalid method: method contains forbidden character: "/test.Echo/Un#ary"'
  })
  t.match(await client.call({'dapr-app-id': 'b'}, {path}), {code: 12})
})

t.test('who reads slowly slows the sender: what has come is bounded, and nothing is lost', async t => {
  let written = 0
  const {client} = await opened(
    t,
    {},
    {
      both: call => {
        call.on('error', () => undefined)
        const fill = (): void => {
          while (written < 64 << 20) {
            written += 65_536
            if (!call.write(Buffer.alloc(65_536))) return void call.once('drain', fill)
          }
          call.end()
        }
        fill()
      }
    }
  )
  const call = client.both().on('error', () => undefined)
  let got = 0
  call.on('data', (message: Buffer) => {
    got += message.length
    if (got === 65_536) call.pause()
  })
  await once(call, 'data')
  let before = -1
  while (before !== written) {
    before = written
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  }
  t.ok(written < 8 << 20, `${written} bytes were taken`)
  call.resume()
  await once(call, 'end')
  t.equal(got, 64 << 20)
})

t.test('apps over TLS, with any certificate', async t => {
  const tls = join(import.meta.dirname, '../../../../fixtures/tls')
  const credentials = grpc.ServerCredentials.createSsl(null, [
    {cert_chain: readFileSync(join(tls, 'server.pem')), private_key: readFileSync(join(tls, 'server.key'))}
  ])
  const {client} = await opened(t, {appProtocol: 'grpcs'}, {credentials})
  t.match(await client.call(), {code: 0, answer: 'hello'})
})

t.test('close: calls under way finish, new ones are turned away', async t => {
  const release = new EventEmitter()
  const {client, grpcPort} = await opened(
    t,
    {},
    {unary: (call, done) => release.on('go', () => done(null, call.request))}
  )
  const first = client.call()
  while (release.listenerCount('go') === 0) await new Promise(setImmediate)
  const closed = grpcPort.close(new AbortController().signal)
  await t.rejects(new Promise((_, reject) => net.connect(grpcPort.port, '127.0.0.1').on('error', reject)), {
    code: 'ECONNREFUSED'
  })
  release.emit('go')
  t.match(await first, {code: 0, answer: 'hello'})
  await closed
})

t.test('an app that listens later than its port is taken: nobody waits for ever', async t => {
  const silent = await listen(
    t,
    net.createServer(socket => void socket.resume())
  )
  const grpcPort = await openTestGrpcPort(t, {appPort: silent})
  t.match(await echoClient(t, grpcPort.port).call({}, {options: {deadline: Date.now() + 200}}), {code: 4})
  while (grpcPort.underWay() > 0) await new Promise(setImmediate)
})
