import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import grpc from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import {echoClient, grpcApp} from '../integration/dapr/sidecar/grpc/rig.ts'
import {listen} from '../integration/dapr/sidecar/rig.ts'
import {openRig, type TemplateApp} from '../rig/rig.ts'
import {tlsFile} from '../rig/tls.ts'

const PAIR = {key: tlsFile('server.key'), cert: tlsFile('server.pem')}
const KEYS = [{private_key: Buffer.from(PAIR.key), cert_chain: Buffer.from(PAIR.cert)}]

/** Three calls, and what the sidecar itself asks the app. */
const MAX_CONNECTIONS = 20

/** A port that passes what comes to another one, as Docker's proxy does, and counts the connections. */
const counted = async (t: Test, to: number): Promise<{readonly port: number; readonly count: () => number}> => {
  let count = 0
  const server = net.createServer(socket => {
    const beyond = net.connect(to, '127.0.0.1')
    socket.on('error', () => beyond.destroy()).on('close', () => beyond.destroy())
    beyond.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.once('data', () => count++)
    socket.pipe(beyond).pipe(socket)
  })
  return {port: await listen(t, server), count: () => count}
}

const nobody = async (t: Test): Promise<number> =>
  listen(
    t,
    net.createServer(socket => socket.destroy())
  )

interface Wrong {
  readonly appProtocol: string
  readonly open: (t: Test) => Promise<number>
  /** What a caller of gRPC is told. */
  readonly why: RegExp
}

const PREFACE = 'connection error: desc = "error reading server preface: '
const HANDSHAKE = 'connection error: desc = "transport: authentication handshake failed: '

/** Apps that accept connections, and do not speak what their template says. */
const WRONG: Readonly<Record<string, Wrong>> = {
  'a proxy before a container that does not listen': {
    appProtocol: 'grpc',
    open: nobody,
    why: new RegExp(`^${PREFACE}(EOF|read ECONNRESET)" \\(its appProtocol is grpc: `)
  },
  'the same with TLS': {
    appProtocol: 'grpcs',
    open: nobody,
    why: new RegExp(`^${HANDSHAKE}EOF" \\(its appProtocol is grpcs: `)
  },
  'TLS where grpc is written': {
    appProtocol: 'grpc',
    open: async t => grpcApp(t, {credentials: grpc.ServerCredentials.createSsl(null, KEYS)}),
    why: new RegExp(`^${PREFACE}.*" \\(its appProtocol is grpc: `)
  },
  'no TLS where grpcs is written': {
    appProtocol: 'grpcs',
    open: async t => grpcApp(t),
    why: new RegExp(`^${HANDSHAKE}.*" \\(its appProtocol is grpcs: `)
  },
  'HTTP where grpc is written': {
    appProtocol: 'grpc',
    open: async t => listen(t, http.createServer()),
    why: new RegExp(`^${PREFACE}it speaks HTTP/1.1" \\(its appProtocol is grpc: `)
  },
  'an app of https': {
    appProtocol: 'https',
    open: async t => listen(t, https.createServer(PAIR)),
    why: /^connection error: desc = ".*" \("b" has appProtocol https, not grpc\)/
  },
  'an app of https that asks for HTTP/1.1': {
    appProtocol: 'https',
    open: async t =>
      listen(
        t,
        tls.createServer({...PAIR, ALPNProtocols: ['http/1.1']}, socket => socket.destroy())
      ),
    why: /^connection error: desc = ".*" \("b" has appProtocol https, not grpc\)/
  }
}

for (const [what, {appProtocol, open, why}] of Object.entries(WRONG))
  t.test(`${what}: a call of gRPC ends with the reason, after a few attempts`, async t => {
    const rig = await openRig(t)
    const {port: appPort, count} = await counted(t, await open(t))
    const b: TemplateApp = {appID: 'b', appPort, appProtocol, command: []}
    await rig.template([{appID: 'a', command: []}, b])
    const run = rig.pillion(['run', '-f', '.'])
    const {grpc: port, http: httpPort} = await run.ports('a')
    const client = echoClient(t, port)
    const before = count()
    t.match(await client.call(), {code: grpc.status.UNAVAILABLE, message: why})
    if (appProtocol === 'https') return
    t.match(await client.invoke('b', {method: 'x'}), {code: grpc.status.UNAVAILABLE, message: why})
    const response = await fetch(`http://127.0.0.1:${httpPort}/v1.0/invoke/b/method/x`)
    t.equal(response.status, 503)
    t.match(((await response.json()) as {message: string}).message, why)
    t.ok(count() - before < MAX_CONNECTIONS, `${count() - before} connections`)
  })
