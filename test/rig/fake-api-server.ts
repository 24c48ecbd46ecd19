import {createServer as createPlain, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import {createServer as createSecure} from 'node:https'
import type {AddressInfo} from 'node:net'

/** An object; tests know what is in it. */
interface Stored {
  readonly apiVersion?: string
  readonly kind?: string
  /** Of the options of a DELETE. */
  readonly preconditions?: {readonly uid?: string}
  readonly propagationPolicy?: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly uid?: string
    readonly resourceVersion?: string
    readonly deletionTimestamp?: string
    readonly ownerReferences?: readonly {readonly uid: string}[]
  }
  readonly [field: string]: unknown
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly token: string
  /** Whose rights are asked for in the place of one's own (`as` in a kubeconfig). */
  readonly impersonated: Readonly<Record<string, unknown>>
  /** How many requests of this method and path have come, with this one. */
  readonly nth: number
}

/** A status, and headers or an own body if they matter; undefined: the usual answer. */
export type Answer =
  | {readonly code: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown}
  | 'never'
  /** The connection ends. */
  | 'gone'
  /** The answer begins, and never ends. */
  | 'half'
  /** The answer begins, and the connection ends. */
  | 'cut'
  | undefined

const DAPR_KINDS = [
  {name: 'components', kind: 'Component', namespaced: true},
  {name: 'configurations', kind: 'Configuration', namespaced: true},
  {name: 'resiliencies', kind: 'Resiliency', namespaced: true}
]
const AT = `${new Date(0).toISOString().replace('Z', '000000Z')} `
const WATCHED = /\/(?:deployments|jobs|pods)$/

/**
 * Answers like an API server, as far as `-k` asks it: what a real one answered (Kubernetes 1.34) for the same requests.
 * Deployments are ready at once, each with a pod. For what a real one does not do on demand.
 */
export class FakeApiServer {
  /** Looked at before each request. */
  answer: (asked: Asked) => Answer | Promise<Answer> = () => undefined
  readonly asked: string[] = []
  readonly objects = new Map<string, Stored>()
  readonly #counts = new Map<string, number>()
  readonly #watches = new Map<ServerResponse, {path: string; labels: string}>()
  readonly #secure: {readonly cert: Buffer; readonly key: Buffer} | undefined
  #look: (() => void) | undefined
  #lookForObject: (() => void) | undefined
  #server: Server | undefined
  #port = 0
  #version = 100
  /** The last lines of every log. */
  log = 'started\n'
  /** Deployments have pods of their own. */
  hasPods = true
  /** Pods of deleted Deployments stay until they are removed: they have their grace. */
  hasGrace = false
  /** By the path of an object that is deleted after its pods (`Foreground`): those that are left. */
  readonly #last = new Map<string, Set<string>>()
  /** Logs that are followed, with the start of the path of their pod's. */
  readonly #logs = new Map<ServerResponse, string>()
  /** Lines of pods whose log no one follows yet. */
  #unread: (readonly [pod: string, line: string])[] = []

  constructor(secure?: {readonly cert: Buffer; readonly key: Buffer}) {
    this.#secure = secure
  }

  get url(): string {
    return `${this.#secure === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`
  }

  /** Listens, after a `close` on the port that it had. */
  async open(): Promise<void> {
    const handle = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response)
    this.#server = this.#secure === undefined ? createPlain(handle) : createSecure(this.#secure, handle)
    await new Promise<void>(resolve => this.#server?.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise(resolve => this.#server?.close(resolve))
  }

  /** The text of a kubeconfig for it. */
  kubeconfig(user: unknown = {token: 'secret'}, cluster: object = {}): string {
    return JSON.stringify({
      'current-context': 'kind-fake',
      clusters: [{name: 'fake', cluster: {server: this.url, ...cluster}}],
      users: [{name: 'me', user}],
      contexts: [{name: 'kind-fake', context: {cluster: 'fake', user: 'me', namespace: 'shop'}}]
    })
  }

  /** The open watches end, as they do after some time: with an error, or in the middle of a line. */
  endWatches(how: 'end' | 'gone' | 'cut' = 'end'): number {
    const open = [...this.#watches.keys()]
    this.#watches.clear()
    for (const response of open) {
      const status = {kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version'}
      if (how === 'gone') response.write(`${JSON.stringify({type: 'ERROR', object: status})}\n`)
      if (how === 'cut') response.write('{"type":"MODIFIED","obj')
      if (how === 'cut') setImmediate(() => response.destroy())
      else response.end()
    }
    return open.length
  }

  /** The logs that are followed break off. */
  cutLogs(): void {
    for (const response of this.#logs.keys()) response.destroy()
  }

  /** Settles when so many watches are open. */
  async watching(count: number): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    this.#look = () => {
      if (this.#watches.size >= count) resolve()
    }
    this.#look()
    return promise
  }

  /** Settles when there is an object at this path. */
  async applied(path: string): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    this.#lookForObject = () => {
      if (this.objects.has(path)) resolve()
    }
    this.#lookForObject()
    return promise
  }

  /** Saves an object, and tells those who watch. */
  save(path: string, object: Stored): Stored {
    const before = this.objects.get(path)
    const resourceVersion = `${++this.#version}`
    const {uid = `uid-${this.#version}`} = before?.metadata ?? {}
    const saved = {
      ...object,
      metadata: {
        creationTimestamp: new Date().toISOString(),
        generation: 1,
        namespace: 'shop',
        ...object.metadata,
        uid,
        resourceVersion
      }
    }
    this.objects.set(path, saved)
    this.#lookForObject?.()
    this.#tell(before === undefined ? 'ADDED' : 'MODIFIED', path, saved)
    return saved
  }

  /** A line of a pod that runs, for those who follow its log; where none does yet, for the first who does. */
  print(pod: string, line: string): void {
    const readers = [...this.#logs].filter(([, path]) => path === pod)
    if (readers.length === 0) this.#unread.push([pod, line])
    for (const [response] of readers) response.write(`${AT}${line}\n`)
  }

  remove(path: string): void {
    const object = this.objects.get(path)
    if (object === undefined || !this.objects.delete(path)) return
    for (const [response, pod] of this.#logs) if (pod === path) response.end()
    const resourceVersion = `${++this.#version}`
    this.#tell('DELETED', path, {...object, metadata: {...object.metadata, resourceVersion}})
    for (const [owner, pods] of this.#last) if (pods.delete(path) && pods.size === 0) this.remove(owner)
  }

  #tell(type: string, path: string, object: Stored): void {
    const at = path.slice(0, path.lastIndexOf('/'))
    for (const [response, watched] of this.#watches)
      if (watched.path === at && isSelected(object, watched.labels))
        response.write(`${JSON.stringify({type, object})}\n`)
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {pathname: path, searchParams: query} = new URL(request.url ?? '', 'http://fake')
    const method = request.method ?? ''
    const name = `${method} ${path}${query.has('watch') ? '?watch' : ''}${query.has('dryRun') ? '?dryRun' : ''}`
    this.asked.push(name)
    const nth = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, nth)
    const pieces: Buffer[] = []
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const headers = Object.entries(request.headersDistinct).filter(([header]) => header.startsWith('impersonate-'))
    const given = await this.answer({method, path, query, token, nth, impersonated: Object.fromEntries(headers)})
    if (given === 'never') return
    if (given === 'gone') return void request.socket.destroy()
    if (given === 'half' || given === 'cut') {
      response.writeHead(200, {'content-length': 100}).write('{', () => {
        if (given === 'cut') response.destroy()
      })
      return
    }
    if (given !== undefined)
      return send(
        response,
        given.code,
        given.body ?? {kind: 'Status', status: 'Failure', code: given.code, message: `fake ${given.code}`},
        given.headers
      )
    const body = Buffer.concat(pieces).toString()
    this.#usual(method, path, {query, body: body === '' ? undefined : (JSON.parse(body) as Stored), response})
  }

  #usual(
    method: string,
    path: string,
    {query, body, response}: {query: URLSearchParams; body: Stored | undefined; response: ServerResponse}
  ): void {
    if (path === '/version') return send(response, 200, {major: '1', minor: '34'})
    if (path === '/apis/dapr.io') return send(response, 200, {versions: [{groupVersion: 'dapr.io/v1alpha1'}]})
    if (path === '/apis/dapr.io/v1alpha1') return send(response, 200, {resources: DAPR_KINDS})
    if (path.endsWith('selfsubjectaccessreviews')) return send(response, 201, {status: {allowed: true}})
    if (/^\/api\/v1\/namespaces\/[^/]+$/.test(path)) return send(response, 200, {kind: 'Namespace'})
    if (path.endsWith('/log')) return this.#sendLog(path.slice(0, -'/log'.length), query, response)
    if (method === 'PATCH' && body !== undefined) return this.#apply(path, body, {query, response})
    if (method === 'DELETE') return this.#delete(path, body, response)
    const object = this.objects.get(path)
    if (object !== undefined) return send(response, 200, object)
    if (!/\/(?:secrets|services|deployments|jobs|pods|components|configurations|resiliencies)$/.test(path))
      return send(response, 404, {kind: 'Status', status: 'Failure', reason: 'NotFound', message: `${path} not found`})
    const labels = query.get('labelSelector') ?? ''
    if (query.has('watch')) return this.#watch(path, labels, response)
    const items = [...this.objects]
      .filter(([at, each]) => at.startsWith(`${path}/`) && isSelected(each, labels))
      .map(([, each]) => each)
    send(response, 200, {metadata: {resourceVersion: `${this.#version}`}, items})
  }

  #apply(path: string, body: Stored, {query, response}: {query: URLSearchParams; response: ServerResponse}): void {
    const before = this.objects.get(path)
    const {uid} = body.metadata
    if (uid !== undefined && uid !== before?.metadata.uid) {
      const message = `Operation cannot be fulfilled: uid mismatch: the provided object specified uid ${uid}`
      return send(response, 409, {kind: 'Status', status: 'Failure', reason: 'Conflict', code: 409, message})
    }
    if (query.has('dryRun'))
      return send(response, 200, {...body, metadata: {...before?.metadata, generation: 1, ...body.metadata}})
    const status = {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}
    const saved = this.save(path, body.kind === 'Deployment' ? {...body, status} : body)
    send(response, before === undefined ? 201 : 200, saved)
    if (body.kind === 'Deployment' && this.hasPods && before === undefined) this.#savePod(path, body)
  }

  #savePod(path: string, {metadata: {name, labels}}: Stored): void {
    const state = {running: {startedAt: new Date().toISOString()}}
    const containers = [{name}, {name: 'daprd', args: ['--app-id', name]}]
    const containerStatuses = containers.map(each => ({
      ...each,
      ready: true,
      restartCount: 0,
      image: '',
      containerID: `fake://${name}/${each.name}`,
      state
    }))
    this.save(podPath(path, name), {
      metadata: {name: `${name}-1`, ...(labels !== undefined && {labels})},
      spec: {containers},
      status: {phase: 'Running', containerStatuses}
    })
  }

  #delete(path: string, options: Stored | undefined, response: ServerResponse): void {
    const object = this.objects.get(path)
    const wanted = options?.preconditions?.uid
    if (object === undefined) return send(response, 404, {kind: 'Status', status: 'Failure', reason: 'NotFound'})
    const {uid = ''} = object.metadata
    const message = `Operation cannot be fulfilled: Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`
    if (wanted !== undefined && wanted !== uid)
      return send(response, 409, {kind: 'Status', status: 'Failure', reason: 'Conflict', code: 409, message})
    const pods = [...this.objects].filter(
      ([at, {metadata}]) => at.includes('/pods/') && metadata.labels?.['app'] === object.metadata.name
    )
    if (options?.propagationPolicy === 'Foreground' && this.hasGrace && pods.length > 0) {
      this.#last.set(path, new Set(pods.map(([at]) => at)))
      return send(response, 200, this.save(path, {...object, metadata: {...object.metadata, deletionTimestamp: AT}}))
    }
    this.remove(path)
    send(response, 200, {kind: 'Status', status: 'Success'})
    if (!['Deployment', 'Job'].includes(object.kind ?? '') || this.hasGrace) return
    for (const [at] of pods) this.remove(at)
  }

  #watch(path: string, labels: string, response: ServerResponse): void {
    if (!WATCHED.test(path)) return send(response, 400, {kind: 'Status', message: 'not watched'})
    response.writeHead(200, {'content-type': 'application/json'})
    response.flushHeaders()
    this.#watches.set(response, {path, labels})
    this.#look?.()
    response.on('close', () => this.#watches.delete(response))
  }

  #sendLog(pod: string, query: URLSearchParams, response: ServerResponse): void {
    if (!this.objects.has(pod))
      return send(response, 404, {kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404})
    const at = query.get('timestamps') === 'true' ? AT : ''
    response.writeHead(200, {'content-type': 'text/plain'})
    response.write(this.log.replaceAll(/^(?=.)/gm, at))
    if (query.get('follow') !== 'true') return void response.end()
    this.#logs.set(response, pod)
    for (const [of, line] of this.#unread) if (of === pod) response.write(`${at}${line}\n`)
    this.#unread = this.#unread.filter(([of]) => of !== pod)
    response.on('close', () => this.#logs.delete(response))
  }
}

const podPath = (path: string, name: string): string =>
  `/api/v1/namespaces/${/namespaces\/([^/]+)/.exec(path)?.[1] ?? ''}/pods/${name}-1`

/** `a=1,b in (2,3)` */
const isSelected = ({metadata: {labels = {}}}: Stored, selector: string): boolean =>
  (selector.match(/[^,(]+\([^)]*\)|[^,]+/g) ?? []).every(each => {
    const [, name = '', value = ''] = /^(\S+?)(?:=| in )(.*)$/.exec(each) ?? []
    return value
      .replaceAll(/[()]/g, '')
      .split(',')
      .includes(labels[name] ?? '')
  })

function send(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): void {
  response.writeHead(code, {'content-type': 'application/json', ...headers})
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}
