import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {SimTime} from './sim-time.ts'

export interface Stored {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly uid: string
    readonly resourceVersion: string
    readonly generation: number
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
    readonly finalizers?: readonly string[]
    readonly ownerReferences?: readonly {readonly uid: string}[]
  }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** An object as it is sent. */
export interface Written {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: Partial<Stored['metadata']> & {readonly name: string}
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** One request. `as`: who asks. */
export interface Asked {
  readonly as: string
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
}

/** What comes of a request instead of its usual answer; `lost`: it is done, and the answer is lost. */
export type Fate = {readonly code: number; readonly after?: number} | 'gone' | 'lost' | 'cut' | 'never' | undefined

interface Watch {
  readonly response: ServerResponse
  readonly path: string
  readonly labels: string
}

const DAPR_KINDS = [{name: 'components', kind: 'Component', namespaced: true}]
const BASE = Date.UTC(2026, 0, 1)
const NAMESPACE = '/namespaces/shop/'

/** The API server of a cluster, as far as Pillion asks it, in the time of a walk. It keeps a history, as etcd does, for watches that come back. */
export class ApiServer {
  readonly objects = new Map<string, Stored>()
  /** What happens to a request; it may take its time. */
  fate: (asked: Asked) => Promise<Fate> = async () => Promise.resolve(undefined)
  /** An object is about to be written or deleted by a request; `next` undefined: deleted. */
  onWrite: (asked: Asked, before: Stored | undefined, next: Written | undefined) => void = () => undefined
  /** Something has changed. */
  onChange: () => void = () => undefined
  sendLog: (pod: string, query: URLSearchParams, response: ServerResponse) => void = () => undefined
  readonly server: Server
  readonly #time: SimTime
  readonly #watches = new Set<Watch>()
  readonly #hung = new Set<ServerResponse>()
  #history: {readonly version: number; readonly type: string; readonly path: string; readonly object: Stored}[] = []
  #forgotten = 0
  version = 100
  #uids = 0

  constructor(time: SimTime) {
    this.#time = time
    this.server = createServer((request, response) => time.outside(() => void this.#take(request, response)))
  }

  stamp(): string {
    return new Date(BASE + this.#time.now).toISOString()
  }

  /** Saves an object; one that is the same keeps its version. */
  save(path: string, object: Written): Stored {
    const before = this.objects.get(path)
    const isSame =
      before !== undefined &&
      JSON.stringify({...before, metadata: bare(before)}) === JSON.stringify({...object, metadata: bare(object)})
    if (isSame) return before
    const isNewSpec = before === undefined || JSON.stringify(before.spec) !== JSON.stringify(object.spec)
    const saved = {
      ...object,
      metadata: {
        namespace: 'shop',
        creationTimestamp: this.stamp(),
        uid: `uid-${++this.#uids}`,
        ...object.metadata,
        ...(before !== undefined && {uid: before.metadata.uid, creationTimestamp: before.metadata.creationTimestamp}),
        generation: (before?.metadata.generation ?? 0) + (isNewSpec ? 1 : 0),
        resourceVersion: `${++this.version}`
      }
    }
    this.objects.set(path, saved)
    this.#tell(before === undefined ? 'ADDED' : 'MODIFIED', path, saved)
    return saved
  }

  remove(path: string): void {
    const object = this.objects.get(path)
    if (object === undefined || !this.objects.delete(path)) return
    const gone = {...object, metadata: {...object.metadata, resourceVersion: `${++this.version}`}}
    this.#tell('DELETED', path, gone)
  }

  /** As a request would: what has a finalizer, or a pod, goes later. */
  delete(path: string, finalizer = ''): void {
    const object = this.objects.get(path)
    if (object === undefined) return
    const finalizers = [...(object.metadata.finalizers ?? []), ...(finalizer === '' ? [] : [finalizer])]
    const isPod = path.includes('/pods/')
    if (finalizers.length === 0 && !isPod) return this.remove(path)
    const metadata = {
      ...object.metadata,
      finalizers,
      deletionTimestamp: object.metadata.deletionTimestamp ?? this.stamp()
    }
    this.save(path, {...object, metadata: isPod ? {...metadata, finalizers: []} : metadata})
  }

  /** The history up to now is compacted: watches that come back must list. */
  forget(): void {
    this.#history = []
    this.#forgotten = this.version
  }

  /** Connections without an answer end. */
  endHung(): void {
    for (const response of this.#hung) response.destroy()
    this.#hung.clear()
  }

  endWatches(how: 'end' | 'gone' | 'cut'): void {
    for (const {response} of this.#watches) {
      const status = {kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version'}
      if (how === 'gone') response.write(`${JSON.stringify({type: 'ERROR', object: status})}\n`)
      if (how === 'cut') response.write('{"type":"MODIFIED","obj')
      if (how === 'cut') setImmediate(() => response.destroy())
      else response.end()
    }
    this.#watches.clear()
  }

  #tell(type: string, path: string, object: Stored): void {
    this.#history.push({version: this.version, type, path, object})
    for (const watch of this.#watches) tellOne(watch, type, path, object)
    this.onChange()
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {pathname: path, searchParams: query} = new URL(request.url ?? '', 'http://fake')
    const method = request.method ?? ''
    const pieces: Buffer[] = []
    try {
      for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    } catch {
      return
    }
    const as = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const asked = {as, method, path, query}
    const fate = await this.fate(asked)
    if (fate === 'never') return void this.#hung.add(response)
    if (fate === 'gone') return void request.socket.destroy()
    if (fate === 'cut') {
      response.writeHead(200, {'content-length': 100}).write('{', () => response.destroy())
      return
    }
    if (fate === 'lost') request.socket.destroy()
    if (typeof fate === 'object')
      return send(response, fate.code, {}, fate.after === undefined ? {} : {'retry-after': `${fate.after}`})
    const text = Buffer.concat(pieces).toString()
    this.#usual(asked, text === '' ? undefined : (JSON.parse(text) as Written), response)
  }

  #usual(asked: Asked, body: Written | undefined, response: ServerResponse): void {
    const {method, path, query} = asked
    if (path === '/apis/dapr.io') return send(response, 200, {versions: [{groupVersion: 'dapr.io/v1alpha1'}]})
    if (path === '/apis/dapr.io/v1alpha1') return send(response, 200, {resources: DAPR_KINDS})
    if (path.endsWith('/log')) return this.sendLog(path.slice(0, -'/log'.length), query, response)
    if (method === 'PATCH' && body !== undefined) return this.#apply(asked, body, response)
    if (method === 'DELETE') return this.#delete(asked, body, response)
    const object = this.objects.get(path)
    if (object !== undefined) return send(response, 200, object)
    const isList = path.slice(path.indexOf(NAMESPACE) + NAMESPACE.length).includes('/')
    if (isList) return send(response, 404, {reason: 'NotFound'})
    const labels = query.get('labelSelector') ?? ''
    if (query.has('watch')) return this.#watch(path, labels, Number(query.get('resourceVersion')), response)
    const items = [...this.objects]
      .filter(([at, each]) => at.startsWith(`${path}/`) && isSelected(each, labels))
      .map(([, {apiVersion: _version, kind: _kind, ...each}]) => each)
    send(response, 200, {metadata: {resourceVersion: `${this.version}`}, items})
  }

  #apply(asked: Asked, body: Written, response: ServerResponse): void {
    const {path, query} = asked
    const before = this.objects.get(path)
    if (body.metadata.uid !== undefined && body.metadata.uid !== before?.metadata.uid)
      return send(response, 409, {reason: 'Conflict', code: 409, message: 'uid mismatch'})
    const message = 'Job is invalid: spec.template: field is immutable'
    const isFixed = body.kind === 'Job' && before !== undefined
    if (isFixed && JSON.stringify(before.spec) !== JSON.stringify(body.spec))
      return send(response, 422, {
        reason: 'Invalid',
        code: 422,
        message,
        details: {causes: [{message: 'field is immutable'}]}
      })
    const metadata = {
      ...before?.metadata,
      ...body.metadata,
      ...(before?.metadata.annotations !== undefined && {annotations: before.metadata.annotations}),
      labels: {...before?.metadata.labels, ...body.metadata.labels}
    }
    const spec = {
      ...body.spec,
      ...(body.kind === 'Deployment' && {replicas: body.spec?.['replicas'] ?? before?.spec?.['replicas'] ?? 1})
    }
    const next = {...before, ...body, metadata, ...(body.spec !== undefined && {spec})}
    if (query.has('dryRun'))
      return send(response, 200, {uid: 'dry', ...next, metadata: {uid: 'dry', resourceVersion: '1', ...metadata}})
    this.onWrite(asked, before, next)
    send(response, before === undefined ? 201 : 200, this.save(path, next))
  }

  #delete(asked: Asked, options: Written | undefined, response: ServerResponse): void {
    const object = this.objects.get(asked.path)
    if (object === undefined) return send(response, 404, {reason: 'NotFound'})
    const {preconditions = {}, propagationPolicy} = (options ?? {}) as {
      preconditions?: {uid?: string}
      propagationPolicy?: string
    }
    if (preconditions.uid !== undefined && preconditions.uid !== object.metadata.uid)
      return send(response, 409, {reason: 'Conflict', code: 409, message: 'Precondition failed: UID in precondition'})
    this.onWrite(asked, object, undefined)
    this.delete(asked.path, propagationPolicy === 'Foreground' ? 'foregroundDeletion' : '')
    send(response, 200, {kind: 'Status', status: 'Success'})
  }

  #watch(path: string, labels: string, since: number, response: ServerResponse): void {
    if (since < this.#forgotten) return send(response, 410, {reason: 'Expired', code: 410, message: 'too old'})
    response.writeHead(200, {'content-type': 'application/json'})
    response.flushHeaders()
    const watch = {response, path, labels}
    for (const {version, type, path: at, object} of this.#history) if (version > since) tellOne(watch, type, at, object)
    this.#watches.add(watch)
    response.on('close', () => this.#watches.delete(watch))
  }
}

function tellOne({response, path, labels}: Watch, type: string, at: string, object: Stored): void {
  if (at.slice(0, at.lastIndexOf('/')) === path && isSelected(object, labels))
    response.write(`${JSON.stringify({type, object})}\n`)
}

const bare = ({metadata}: Written): object => ({
  ...metadata,
  resourceVersion: '',
  generation: 0,
  uid: '',
  creationTimestamp: '',
  namespace: ''
})

const isSelected = ({metadata: {labels = {}}}: Stored, selector: string): boolean =>
  selector === '' || selector.split(',').every(each => labels[each.split('=')[0] ?? ''] === each.split('=')[1])

function send(
  response: ServerResponse,
  code: number,
  body: object,
  headers: Readonly<Record<string, string>> = {}
): void {
  response.writeHead(code, {'content-type': 'application/json', ...headers})
  response.end(JSON.stringify(code < 400 ? body : {kind: 'Status', status: 'Failure', code, ...body}))
}
