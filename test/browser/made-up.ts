/** A run that is made up: the real listener with the real files of the page, and an API that says what a test tells it to. */
import type * as Api from '../../src/model/api.generated.ts'
import type {ServerResponse} from 'node:http'
import {randomBytes} from 'node:crypto'
import {freePort} from '../rig/free-port.ts'
import {listenForPages, type PageListener} from '../../src/observe/dashboard/listener.ts'
import {tokensFor} from '../../src/observe/dashboard/tokens.ts'

export const app = (id: string, more: Partial<Api.App> = {}): Api.App => ({
  id,
  version: '0.0.0',
  isMain: true,
  instance: 1,
  state: 'running',
  isReady: true,
  availability: more.isReady === false ? 'waiting' : 'ready',
  pid: 4711,
  exitCode: null,
  exit: '',
  restarts: 0,
  createdAt: '2026-01-31T14:40:00.000Z',
  startedAt: '2026-01-31T14:40:00.000Z',
  restartsAt: null,
  waitsFor: [],
  loop: null,
  command: 'node app.js',
  appPort: 6001,
  url: '',
  listens: [],
  appProtocol: 'http',
  httpPort: 41001,
  grpcPort: 41002,
  maxRequestBodySize: 4 * 1024 * 1024,
  httpReadBufferSize: 4 * 1024,
  logFile: `/shop/${id}/.dapr/logs/${id}.log`,
  sidecarLogFile: `/shop/${id}/.dapr/logs/${id}.daprd.log`,
  circuitBreakers: [],
  recent: {seconds: 60, calls: 0, failed: 0, p95Ms: 0},
  waitingWork: 0,
  waitingEvents: 0,
  ...more
})

export const call = (number: number, more: Partial<Api.Call> = {}): Api.Call => ({
  number,
  at: '2026-01-31T14:46:45.977Z',
  from: 'checkout',
  to: 'payments',
  method: 'GET',
  path: '/orders/7',
  protocol: 'HTTP/1.1',
  calleeProtocol: 'HTTP/1.1',
  status: 200,
  isOpen: false,
  isFailed: false,
  failure: '',
  waitedMs: 0,
  waitedFor: [],
  firstByteMs: 1,
  totalMs: 2.1,
  requestBytes: 312,
  responseBytes: 3800,
  attempts: 1,
  pid: 4711,
  traceparent: '',
  marks: [],
  isKept: true,
  ...more
})

/** A call with what was sent both ways. */
export const callDetail = (known: Api.Call, body = ''): Api.CallDetail => ({
  ...known,
  target: known.path,
  connectMs: 0,
  request: {line: `${known.method} ${known.path} HTTP/1.1`, headers: [], body: '', encoding: 'utf8'},
  response: {line: 'HTTP/1.1 200 OK', headers: [], body, encoding: 'utf8'},
  isTruncated: false
})

/** A call in the tree of a request. */
export const treeNode = (known: Api.Call, more: Partial<Api.TreeNode> = {}): Api.TreeNode => {
  const {number: id, from, to, method, path, status, at, totalMs, waitedMs, isOpen, isFailed, failure} = known
  const told = {id, from, to, at, totalMs, waitedMs, isOpen, isFailed, failure, call: known, workflow: null, spans: []}
  const place = {kind: 'call', depth: 0, count: 1, link: null, startMs: 0} as const
  return {...told, ...place, what: `${method} ${path}`, outcome: `${status}`, ...more}
}

export const fault = (number: number, more: Partial<Api.Fault> = {}): Api.Fault => ({
  number,
  isEnabled: true,
  from: 'checkout',
  to: 'payments',
  actor: '',
  method: 'POST',
  path: '/charge*',
  kind: 'status',
  delayMs: 300,
  jitterMs: 0,
  status: 503,
  body: '',
  cutAfter: 0,
  rate: 0.3,
  seed: 42,
  matched: 391,
  hits: 118,
  times: null,
  leftMs: null,
  texts: {edge: 'checkout → payments POST /charge*', effect: '300 ms later, 503', rate: '30 % of the calls', limit: ''},
  ...more
})

/** What the table of apps asks for, where nothing is known; an app has no page of its API. */
const NO_FIGURES: Answers = {
  'GET /copies': {copies: []},
  'GET /run': {hasWork: true},
  'GET /workflows': {workflows: [], next: null},
  'GET /pins': {pins: [], rounds: []},
  'GET /actors': {types: []},
  'GET /jobs': {now: '2026-01-31T14:46:45.977Z', jobs: [], next: null},
  'GET /usage': {at: '2026-01-31T14:46:45.977Z', groups: []},
  'GET /traffic': {seconds: 5, until: '2026-01-31T14:46:45.977Z', apps: []}
}

/** What the first view asks for. */
export const FIRST_VIEW: Answers = {
  'GET /calls': {last: 0, calls: []},
  'GET /logs': '',
  'GET /apps/payments/why': {app: 'payments', instances: [], stalled: [], death: null, deaths: 0}
}

/** Calls of one app to another: `calls` in all, a tenth of them in the last seconds. */
export const edge = (from: string, to: string, calls = 100, more: Partial<Api.Edge> = {}): Api.Edge => ({
  from,
  to,
  calls,
  failed: 0,
  waited: 0,
  requestBytes: 0,
  responseBytes: 0,
  p50Ms: 1.5,
  p95Ms: 65,
  p99Ms: 80,
  recent: {seconds: 60, calls: calls * 0.6, failed: 0, p95Ms: 65},
  ...more
})

/** What the API answers: by method and path (`GET /apps/shop/why`); a function gets the body. */
export type Answers = Record<string, Said | ((body: string, query: URLSearchParams) => Said)>
/** JSON, or text. */
export type Said = Readonly<Record<string, unknown>> | string

export interface MadeUp {
  /** With the token. */
  readonly url: string
  readonly readOnlyUrl: string
  /** Requests that came, other than for events: `POST /apps/shop/stop`. */
  readonly asked: string[]
  readonly answers: Answers
  apps: readonly Api.App[]
  faults: readonly Api.Fault[]
  /** What needs a person. */
  troubles: readonly Api.Trouble[]
  /** When the whole state was sent; '': now. */
  helloAt: string
  /** Events that were before the page was opened. */
  past: readonly object[]
  /**
   * Sends an event to all who read them. With an id it is none of a sample. Who goes on at an earlier event, as a page does when its view
   * changes, gets what it missed: all with an id, and of samples the faults and edges.
   */
  /** `at`: when it was; left out: now. */
  send(type: string, data: unknown, id?: number, at?: string): void
  /** Nobody gets events: connections are ended. */
  isDown: boolean
  /** Nobody else gets events: there are too many readers. */
  isFull: boolean
  /** Another run begins. */
  restart(): void
  /** Ends the connections of all who read events. */
  cut(): void
  /** Resolves when a page follows events of this type. */
  followed(type: string): Promise<void>
  close(): void
}

/** Samples that a run tells again to who goes on at an event. */
const TOLD_AGAIN = new Set(['fault', 'edges'])

/** `run`: which run it is; `port`: that of an earlier one; `answers` by route, in addition to the usual ones. */
export async function madeUp(
  test: {teardown(close: () => void): void},
  {
    run: first = 'a'.repeat(32),
    port = 0,
    key = randomBytes(32),
    answers
  }: {readonly run?: string; readonly port?: number; readonly key?: Buffer; readonly answers?: Answers} = {}
): Promise<MadeUp> {
  const readers = new Map<ServerResponse, readonly string[]>()
  const waiting = new Set<() => void>()
  const kept: {readonly id: number; readonly frame: string}[] = []
  const tokens = tokensFor(key, 'shop')
  let run = first
  let firstId = 1000
  let id = firstId
  const made: Omit<MadeUp, 'url' | 'readOnlyUrl' | 'close'> = {
    asked: [],
    isDown: false,
    isFull: false,
    answers: {'GET /logs': '', 'GET /calls': {last: 0, calls: []}, ...NO_FIGURES, ...answers},
    faults: [],
    troubles: [],
    helloAt: '',
    past: [],
    apps: [app('checkout'), app('payments'), app('order-processor')],
    send: (type, data, given, at) => {
      if (given !== undefined) id = given
      const frame = `${JSON.stringify({...(given !== undefined && {id: given}), ...(at !== undefined && {at}), type, data})}\n`
      if (given !== undefined || TOLD_AGAIN.has(type)) kept.push({id: given ?? Infinity, frame})
      for (const [reader, types] of readers)
        if (types.includes(type) || ['hello', 'reset', 'dropped', 'bye'].includes(type)) reader.write(frame)
    },
    restart: () => {
      run = randomBytes(16).toString('hex')
      firstId = id += 1_000_000
      kept.length = 0
      made.isDown = false
    },
    cut: () => {
      for (const reader of readers.keys()) reader.end()
    },
    followed: async type =>
      new Promise(resolve => {
        const look = (): void => {
          if (![...readers.values()].some(types => types.includes(type))) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
  }
  const stateOf = (): object => ({
    version: '1.0.0',
    run,
    pid: 1,
    createdAt: '2026-01-31T14:40:00.000Z',
    startedAt: '2026-01-31T14:40:00.000Z',
    template: {file: '/work/shop/dapr.yaml', name: ''},
    lastCall: 0,
    faults: made.faults,
    apps: made.apps
  })
  const listener: PageListener = await listenForPages(
    'shop',
    port === 0 ? await freePort() : port,
    tokens,
    async (request, response, body) => {
      const url = new URL(request.url ?? '', 'http://run')
      const path = url.pathname.replace('/api/v1', '')
      if (path === '/events') {
        if (made.isDown) return void response.destroy()
        if (made.isFull) {
          response.writeHead(503, {'content-type': 'application/problem+json'})
          response.end(
            JSON.stringify({status: 503, detail: '16 readers follow the events already', hint: 'Close one of them.'})
          )
          return
        }
        response.writeHead(200, {'content-type': 'application/x-ndjson'})
        if (url.searchParams.has('once'))
          return void response.end(made.past.map(event => `${JSON.stringify(event)}\n`).join(''))
        const after = url.searchParams.get('after')
        const missed = Number(after ?? 0) < firstId ? undefined : kept.filter(event => event.id > Number(after))
        response.write(
          missed === undefined
            ? `${JSON.stringify({id, at: made.helloAt || new Date().toISOString(), type: after === null ? 'hello' : 'reset', data: stateOf()})}\n`
            : `\n${missed.map(({frame}) => frame).join('')}`
        )
        if (made.troubles.length > 0)
          response.write(`${JSON.stringify({type: 'troubles', data: {troubles: made.troubles}})}\n`)
        readers.set(response, url.searchParams.get('types')?.split(',') ?? [])
        response.on('close', () => readers.delete(response))
        for (const look of waiting) look()
        return
      }
      const what = `${request.method ?? ''} ${path}`
      made.asked.push(what)
      if ((request.headers['pillion-run'] ?? run) !== run) {
        response.writeHead(412, {'content-type': 'application/problem+json'})
        response.end(JSON.stringify({status: 412, detail: 'another run has begun meanwhile', hint: 'Ask again.'}))
        return
      }
      // what is asked of an app that has one version is answered by its name alone
      const found = made.answers[what] ?? made.answers[what.replace('%400.0.0', '')]
      const hasDocs = found === undefined && path.endsWith('/docs')
      const answer = hasDocs ? {path: ''} : typeof found === 'function' ? found(body, url.searchParams) : found
      if (answer === undefined) {
        response.writeHead(404, {'content-type': 'application/problem+json'})
        response.end(JSON.stringify({status: 404, detail: `there is no ${path}`, hint: 'Look elsewhere.'}))
      } else if (typeof answer === 'string') response.writeHead(200, {'content-type': 'text/plain'}).end(answer)
      else response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(answer))
      return Promise.resolve()
    }
  )
  test.teardown(() => listener.close())
  const at = `http://127.0.0.1:${listener.port}/`
  return Object.assign(made, {
    url: `${at}#t=${tokens.full}`,
    readOnlyUrl: `${at}#look=${tokens.readOnly}`,
    close: () => listener.close()
  })
}
