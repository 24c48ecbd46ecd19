import {once} from 'node:events'
import net from 'node:net'
import {join} from 'node:path'
import grpc from '@grpc/grpc-js'
import {EchoClient} from '../../test/integration/dapr/sidecar/grpc/echo-client.ts'
import {INSPECTED, Inspector} from '../../test/fuzz/inspector.ts'
import {usageOf} from '../../test/rig/usage.ts'
import type {Soak} from './soak.ts'

const PILLION = join(import.meta.dirname, '../../bin/pillion.js')
const FIXTURES = join(import.meta.dirname, '../../test/fixtures')
const AT_ONCE = 32
const ROUNDS_A_STEP = 4
/** Most calls are unary ones. */
const UNARY_A_ROUND = 1000
const MESSAGES = 10
const SMALL = Buffer.from('small')
const LARGE = Buffer.alloc(256 * 1024, 'x')
/** 16 MiB each way, of which the caller reads nothing until the next step. */
const STALLED_MESSAGES = 64

/** Greeting, settings, and a head that is cut off. */
const HALF_A_CALL = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x99\x01\x04\0\0\0\x01\x83'

const clientOf = (port: number): EchoClient =>
  new EchoClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1
  })

const expect = (what: string, got: unknown, wanted: unknown): void => {
  if (got !== wanted) throw new Error(`${what}: ${String(got)} instead of ${String(wanted)}`)
}

type Stream = grpc.ClientDuplexStream<Buffer, Buffer>

/** Its messages come back one by one. */
const echoed = async (stream: Stream, count: number): Promise<void> => {
  for (let sent = 0; sent < count; sent++) {
    stream.write(SMALL)
    const [message] = (await once(stream, 'data')) as [Buffer]
    expect('a message', message.toString(), SMALL.toString())
  }
}

const codeOf = async (call: {
  on(name: 'status', listener: (status: grpc.StatusObject) => void): unknown
}): Promise<number> => new Promise(resolve => call.on('status', ({code}) => resolve(code)))

/** A call that its caller leaves once the app has it, or after the first message. */
const left = async (client: EchoClient): Promise<void> => {
  const stream = client.both().on('error', () => undefined)
  const code = codeOf(stream)
  await echoed(stream, 1)
  stream.cancel()
  expect('a stream that is left', await code, grpc.status.CANCELLED)
}

/** A method of the app. */
const path = (name: string): string => `/test.Echo/${name}`

const kinds = (client: EchoClient, port: number): readonly (() => Promise<void>)[] => {
  const unary = async (message: Buffer): Promise<void> =>
    expect('unary', (await client.call({}, {message})).answer, message.toString())
  return [
    async () => unary(LARGE),
    async () => {
      const {promise, resolve} = Promise.withResolvers<string>()
      const call = client.up((error, answer) => resolve(error?.message ?? String(answer)))
      for (let sent = 0; sent < MESSAGES; sent++) call.write(SMALL)
      call.end()
      expect('up', await promise, (MESSAGES * SMALL.length).toString())
    },
    async () => expect('down', (await client.down().toArray()).length, 5),
    async () => {
      const stream = client.both()
      await echoed(stream, MESSAGES)
      stream.end()
      await once(stream.resume(), 'end')
    },
    async () => left(client),
    async () => expect('invoke', (await client.invoke('b', {method: 'x', value: SMALL})).response.contentType, 'x'),
    async () => {
      const {response} = await client.invoke('web', {method: 'x', verb: 3, value: SMALL})
      expect('invoke over HTTP', /"body":"(\w+)"/.exec(Buffer.from(response.value).toString())?.[1], SMALL.toString())
    },
    async () => expect('fail', (await client.call({}, {path: path('Fail')})).code, grpc.status.FAILED_PRECONDITION),
    async () => expect('unserved', (await client.call({}, {path: path('None')})).code, grpc.status.UNIMPLEMENTED),
    async () => expect('unknown', (await client.call({'dapr-app-id': 'nobody'})).code, grpc.status.UNKNOWN),
    async () => {
      const options = {deadline: Date.now() + 20}
      const {code} = await client.call({}, {path: path('Wait'), options})
      expect('deadline', code, grpc.status.DEADLINE_EXCEEDED)
    },
    async () => {
      const own = clientOf(port)
      expect('own connection', (await own.call({}, {message: SMALL})).code, grpc.status.OK)
      own.close()
    },
    async () => {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(HALF_A_CALL, 'latin1')
      await once(socket, 'data')
      socket.destroy()
    },
    ...Array.from({length: UNARY_A_ROUND}, () => async () => unary(SMALL))
  ]
}

/** Sends all, and reads none of it. */
const stalled = (client: EchoClient): {readonly stream: Stream; readonly sent: Promise<void>} => {
  const stream = client.both()
  const sent = (async () => {
    for (let message = 0; message < STALLED_MESSAGES; message++)
      await new Promise<void>(resolve => stream.write(LARGE, () => resolve()))
    stream.end()
  })()
  return {stream, sent}
}

const drained = async ({stream, sent}: ReturnType<typeof stalled>): Promise<void> => {
  let bytes = 0
  for await (const message of stream) bytes += (message as Buffer).length
  await sent
  expect('a reader who stopped', bytes, STALLED_MESSAGES * LARGE.length)
}

/** Calls of gRPC of all kinds beside a stream of small messages that never ends, and one whose reader has stopped. */
export const grpcCalls: Soak = {
  name: 'grpc',
  open: async rig => {
    await rig.template([
      {appID: 'a', command: []},
      {appID: 'b', appProtocol: 'grpc', autoPort: true, command: ['node', join(FIXTURES, 'apps/grpc-kinds.mjs')]},
      {appID: 'web', autoPort: true, command: ['node', join(FIXTURES, 'sdks/web.mjs')]}
    ])
    const program = rig.start([process.execPath, INSPECTED, PILLION, 'run', '-f', '.'])
    const inspector = await Inspector.of(program)
    const {grpc: port} = await program.ports('a')
    await program.waitForLine('app id "web"')
    const client = clientOf(port)
    expect('the first call', (await client.call()).code, grpc.status.OK)
    const {descriptors} = await usageOf(program.pid)
    const [slow, steady] = [clientOf(port), clientOf(port)]
    const long = steady.both()
    let idle = stalled(slow)
    return {
      pid: program.pid,
      settle: async () => inspector.bytesInUse(),
      step: async () => {
        let made = 0
        for (let round = 0; round < ROUNDS_A_STEP; round++) {
          const all = [...kinds(client, port)]
          made += all.length
          const worker = async (): Promise<void> => {
            for (let next = all.pop(); next !== undefined; next = all.pop()) await next()
          }
          await Promise.all([echoed(long, 100), ...Array.from({length: AT_ONCE}, worker)])
        }
        await drained(idle)
        idle = stalled(slow)
        return made
      },
      close: async () => {
        await drained(idle)
        long.end()
        await once(long.resume(), 'end')
        expect('callers left at the app', (await client.call({}, {path: path('Waiting')})).answer, '0')
        for (const each of [client, slow, steady, inspector]) each.close()
        while ((await usageOf(program.pid)).descriptors > descriptors)
          await new Promise(resolve => setTimeout(resolve, 50))
        program.signal('SIGTERM')
        await program.exited
      }
    }
  }
}
