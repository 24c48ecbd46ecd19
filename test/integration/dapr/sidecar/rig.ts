import {once} from 'node:events'
import http from 'node:http'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import type {Admission, Admit, Admitted} from '../../../../src/proxy/gateway/admission.ts'
import type {Facts} from '../../../../src/dapr/sidecar/http/metadata.ts'
import {Sidecar} from '../../../../src/dapr/sidecar/sidecar.ts'
import type {SidecarOptions} from '../../../../src/dapr/sidecar/sidecar-options.ts'
import {PageGuard} from '../../../../src/proxy/gateway/page-guard.ts'
import type {Dial} from '../../../../src/proxy/net/dialer.ts'
import {AppComponents} from '../../../../src/dapr/components/app-components.ts'
import {ComponentSet} from '../../../../src/dapr/components/component-set.ts'
import {DEFAULT_CONFIGURATION} from '../../../../src/files/resources/defaults.ts'
import {systemClock} from '../../../../src/platform/clock.ts'
import {Actors} from '../../../../src/work/actor/actors.ts'
import {newBlocks, type Blocks} from '../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {Workflows} from '../../../../src/work/workflow/workflows.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {freePort} from '../../../rig/free-port.ts'

let hasFastPath = true

/** A test that holds whether the sidecar reads plain requests itself or leaves all of them to node:http. */
export const onBothPaths = (name: string, run: (t: Test) => Promise<void>): void => {
  for (const isFast of [true, false]) {
    t.test(`${name} (${isFast ? 'both paths' : 'node:http alone'})`, async test => {
      hasFastPath = isFast
      await run(test)
      hasFastPath = true
    })
  }
}

/** A listening server on a free port, closed with the test. */
export const listen = async (t: Test, server: net.Server, host = '127.0.0.1'): Promise<number> => {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
  })
  // a number that is free at ::1 may be another test's at 127.0.0.1
  server.listen(host === '127.0.0.1' ? 0 : await freePort(), host)
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: readonly string[]
  readonly body: string
}

/** The values of a field that an app saw. */
export const valuesOf = ({headers}: Seen, name: string): string[] =>
  headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)

export interface EchoApp {
  readonly port: number
  /** Complete requests, in their order. */
  readonly seen: Seen[]
}

/** An app that answers each request with its own body. `x-answer-chunks: 1` asks for the answer in chunks. */
export const echoApp = async (t: Test, answer?: http.RequestListener): Promise<EchoApp> => {
  const seen: Seen[] = []
  const server = http.createServer({maxHeaderSize: 1 << 20}, (request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const body = Buffer.concat(pieces)
      const {method = '', url = '', rawHeaders} = request
      seen.push({method, url, headers: rawHeaders, body: body.toString('latin1')})
      if (answer !== undefined) return answer(request, response)
      if (request.headers['x-answer-chunks'] === undefined) response.setHeader('content-length', body.length)
      else response.write('')
      response.end(body)
    })
  })
  return {port: await listen(t, server), seen}
}

/** An app of raw bytes: told of each connection. */
export const rawApp = async (t: Test, serve: (socket: net.Socket) => void): Promise<number> =>
  listen(t, net.createServer({noDelay: true}, serve))

/** Calls `then` with each whole request without a body, or with a counted one, that a socket brings. */
export const onRequest = (socket: net.Socket, then: (head: string) => void): void => {
  let text = ''
  socket.on('data', bytes => {
    text += bytes.toString('latin1')
    for (;;) {
      const end = text.indexOf('\r\n\r\n')
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end + 2))?.[1] ?? 0)
      if (end < 0 || text.length < end + 4 + length) return
      const head = text.slice(0, end + 4)
      text = text.slice(end + 4 + length)
      then(head)
    }
  })
}

export interface TestSidecar {
  readonly port: number
  readonly sidecar: Sidecar
  readonly warnings: string[]
  readonly pool: Pool
  /** Calls let through and not yet over. */
  readonly underWay: () => number
}

export const FACTS: Facts = {
  runtimeVersion: '1.18.0',
  enabledFeatures: [],
  components: [],
  extended: {},
  subscriptions: [],
  httpEndpoints: [],
  accessPolicies: [],
  mcpServers: [],
  scheduler: [],
  resiliencies: [],
  connection: {port: 0, protocol: 'http', channelAddress: '127.0.0.1', maxConcurrency: 0, health: undefined}
}

export interface SidecarSettings extends Partial<Omit<SidecarOptions, 'servers'>> {
  /** Port of the callee `b`, and of the own app `a`. */
  readonly appPort?: number
  readonly hosts?: readonly string[]
  readonly dial?: Dial
  /** The `appProtocol` of the callee. */
  readonly protocol?: string
  /** Listening beside its port. */
  readonly extraServers?: readonly net.Server[]
  /** Why a component is missing. */
  readonly whyMissing?: (name: string) => string
}

/** No components, in a folder. */
export const noComponents = (folder = '/'): AppComponents =>
  new AppComponents({
    appId: 'a',
    folder,
    env: {},
    set: new ComponentSet({env: {}, redis: {connect: async () => Promise.reject(new Error('there is no Redis'))}}),
    log: () => undefined
  })

/** The building blocks of an app that has no components, unless some are given. */
export const noBlocks =
  (
    whyMissing: (name: string) => string = () => '',
    workflows: () => Promise<Workflows> = async () => Promise.reject(new Error('no workflows here')),
    components = noComponents()
  ) =>
  async (): Promise<Blocks> =>
    newBlocks({
      appId: 'a',
      instance: 'a',
      isHttpApp: true,
      namespace: '',
      lives: () => [1],
      components,
      configuration: () => DEFAULT_CONFIGURATION,
      whyMissing,
      postToApp: undefined,
      policies: () => undefined,
      counted: () => undefined,
      startSpan: () => undefined,
      work: {
        workflows,
        jobs: async () => Promise.reject(new Error('no jobs here')),
        outbox: async () => Promise.reject(new Error('no jobs here'))
      },
      actors: {
        load: async () => new Actors({clock: systemClock, mayHost: () => false}),
        reminders: async () => Promise.reject(new Error('no reminders here')),
        faults: undefined,
        elsewhere: async () => Promise.resolve(undefined)
      },
      log: {isDebug: false, write: () => undefined, warn: () => undefined}
    })

/** The sidecar of `a`, through which `b` (and `a` itself) is reached. */
export const openTestSidecar = async (
  t: Test,
  {appPort = 1, hosts, dial, protocol = '', extraServers = [], ...settings}: SidecarSettings = {}
): Promise<TestSidecar> => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const warnings: string[] = []
  const pool = new Pool({hosts: hosts ?? ['127.0.0.1', '::1'], port: appPort, dial, protocol})
  let underWay = 0
  const admit: Admit = ({callee}, isRefused) => {
    if (isRefused === true) return {ok: false, status: 500, error: 'refused (its queue says so)'}
    if (callee !== 'a' && callee !== 'b') return {ok: false, status: 500, error: `couldn't find service: ${callee}`}
    return entry(callee)
  }
  const entry = (callee: string): Admission => {
    underWay++
    return {
      ok: true,
      pool,
      isLocal: callee === 'a',
      token: '',
      pathPrefix: '',
      leave: () => {
        underWay--
      }
    } satisfies Admitted
  }
  const sidecar = new Sidecar({
    appId: 'a',
    servers: [server, ...extraServers],
    admit,
    facts: () => FACTS,
    wasReady: () => true,
    requestShutdown: () => undefined,
    blocks: noBlocks(settings.whyMissing),
    limits: {maxBodyBytes: 4 << 20, readBufferBytes: 4096},
    allowedHosts: [],
    tokens: {api: '', app: ''},
    warn: text => warnings.push(text),
    hasFastPath,
    rules: {interceptor: undefined, pipeline: []},
    tracing: {isTracing: true, tracer: undefined},
    pages: new PageGuard([]),
    apiAccess: () => undefined,
    key: '',
    identity: {namespace: 'default', address: '10.1.2.3', hostName: 'laptop'},
    ...settings
  })
  t.teardown(() => {
    void sidecar.close(AbortSignal.abort())
    pool.retire()
  })
  return {port, sidecar, warnings, pool, underWay: () => underWay}
}
