import {isDeepStrictEqual} from 'node:util'
import type {Environment} from '../../model/environment.ts'
import type {Call, Recorded} from '../../model/call.ts'
import {SingleFlight} from '../../model/single-flight.ts'
import {denied, type Admission, type Admit, type AppPipeline} from './admission.ts'
import type {HttpEndpoint, SecretOf} from '../../files/resources/http-endpoints.ts'
import type {AppResources} from '../../files/resources/app-resources.ts'
import {Pool} from '../net/pool.ts'
import type {Dial} from '../net/dialer.ts'
import type {WebOptions} from '../net/web/web-agent.ts'

export interface ExternalEndpointsOptions {
  readonly resources: AppResources
  /** Admits calls to apps. */
  readonly apps: Admit
  /** Called when a call to an external endpoint has ended. */
  readonly recorded?: Recorded | undefined
  /** Environment with the HTTP proxy settings (`HTTPS_PROXY`, …) for HTTPEndpoints. Omitted: no proxy. */
  readonly env?: Environment
  /** Reads secrets for HTTPEndpoints. */
  readonly secretOf?: SecretOf
}

/** An HTTPEndpoint resource. `endpoint`: its connections, or the reason why it cannot be called. */
interface Known {
  readonly resource: HttpEndpoint
  readonly endpoint: Endpoint | string
  /** Whether its secrets have not been read yet. */
  readonly isUnread: boolean
}

/** The connections to a callee that is not an app: an HTTPEndpoint, or a URL. */
interface Endpoint {
  readonly pool: Pool
  /** The path of the base URL, without a slash at the end. */
  readonly path: string
  /** The path of the base URL as written: the target of calls without a method. */
  readonly root: string
  /** Header lines for each request. The caller's headers of the same `names` (lower case) are left out. */
  readonly lines: string
  readonly names: readonly string[]
}

/** Maximum number of URLs whose connections are kept. */
const MAX_URLS = 100
const IS_URL = /^https?:\/\//

const NO_CREDENTIALS = {ca: '', cert: '', key: ''}

/** Calls of one app to external endpoints, without token and headers about the caller (Dapr: pkg/runtime/channels). */
export class ExternalEndpoints {
  readonly #options: Required<ExternalEndpointsOptions>
  /** Whether secret stores are open, so that secrets can be read. */
  #asksSecrets = false
  /** Middleware for all requests to external endpoints; undefined: none. */
  pipeline: AppPipeline | undefined
  #known: Map<string, Known>
  readonly #urls = new Map<string, Endpoint>()
  readonly #unsubscribe: () => void
  /** Reads missing secrets again. Calls that need them at the same time share one read. */
  readonly #again = new SingleFlight<'secrets', void>()

  constructor({resources, apps, recorded, env = {}, secretOf = noSecrets}: ExternalEndpointsOptions) {
    this.#options = {resources, apps, recorded, env, secretOf}
    this.#known = this.#readEndpoints(new Map())
    this.#unsubscribe = resources.onChange(() => {
      this.#known = this.#readEndpoints(this.#known)
      void this.#readSecrets()
    })
  }

  /** Reads the secrets of endpoints, after secret stores have opened or changed. Settles when all are read. */
  async open(): Promise<void> {
    this.#asksSecrets = true
    await this.#readSecrets()
  }

  /** Admits a call. The name of an HTTPEndpoint has precedence over an app id. */
  readonly admit: Admit = (call, isRefused, caller) => {
    if (IS_URL.test(call.callee)) return this.#url(call)
    const endpoint = this.#known.get(call.callee)?.endpoint
    if (endpoint === undefined) return this.#options.apps(call, isRefused, caller)
    if (typeof endpoint !== 'string') return this.#admitted(endpoint)
    void this.#again.do('secrets', async () => this.#readSecrets())
    return denied(endpoint)
  }

  /** Whether the id names an external endpoint, not an app: a URL, or an HTTPEndpoint. */
  has(callee: string): boolean {
    return IS_URL.test(callee) || this.#known.has(callee)
  }

  close(): void {
    this.#unsubscribe()
    for (const {endpoint} of this.#known.values()) retire(endpoint)
    for (const endpoint of this.#urls.values()) retire(endpoint)
  }

  /** Reads the endpoints. An unchanged one keeps its connections, and is called as before until its secrets are read. */
  #readEndpoints(before: ReadonlyMap<string, Known>): Map<string, Known> {
    const {endpoints} = this.#options.resources.snapshot
    const known = new Map(
      endpoints.map(resource => {
        const old = before.get(resource.name)
        const isKnown = old !== undefined && isDeepStrictEqual(old.resource, resource)
        return [resource.name, isKnown ? old : this.#newEndpoint(resource, old)] as const
      })
    )
    for (const [name, {endpoint}] of before) if (known.get(name)?.endpoint !== endpoint) retire(endpoint)
    return known
  }

  #newEndpoint(resource: HttpEndpoint, old: Known | undefined): Known {
    const isUnread = resource.secrets.length > 0 && resource.fault === ''
    const unread = old?.endpoint ?? faultText(resource.name, 'its secrets are not read yet')
    return {resource, isUnread, endpoint: isUnread ? unread : endpointOf(resource, this.#options.env)}
  }

  async #readSecrets(): Promise<void> {
    if (!this.#asksSecrets) return
    const unread = [...this.#known.values()].filter(({isUnread}) => isUnread)
    if (unread.length === 0) return
    // reading the resource files has loaded this module already
    const {withSecrets} = await import('../../files/resources/http-endpoints.ts')
    await Promise.all(
      unread.map(async ({resource}) => {
        const endpoint = endpointOf(await withSecrets(resource, this.#options.secretOf), this.#options.env)
        const known = this.#known.get(resource.name)
        // meanwhile the file may have changed, or another read may have finished
        if (known?.resource !== resource || !known.isUnread) return retire(endpoint)
        // unreadable secrets count as unread: the next read may succeed after the store was corrected
        this.#known.set(resource.name, {resource, endpoint, isUnread: typeof endpoint === 'string'})
        retire(known.endpoint)
      })
    )
  }

  #url({callee}: Call): Admission {
    const known = this.#urls.get(callee)
    if (known !== undefined) return this.#admitted(known)
    if (!URL.canParse(callee)) return denied(`parse "${callee}": invalid URL`)
    if (this.#urls.size >= MAX_URLS) {
      for (const {pool} of this.#urls.values()) pool.retire()
      this.#urls.clear()
    }
    const url = new URL(callee)
    const dial = webDial({origin: url, credentials: NO_CREDENTIALS, followsRedirects: false, secretHeaders: []})
    const endpoint = {pool: poolOf(url, dial), path: pathOf(url), root: url.pathname, lines: '', names: []}
    this.#urls.set(callee, endpoint)
    return this.#admitted(endpoint)
  }

  #admitted({pool, path, root, lines, names}: Endpoint): Admission {
    return {
      ok: true,
      pool,
      isLocal: true,
      token: '',
      pathPrefix: path,
      external: {lines, names, root},
      recorded: this.#options.recorded,
      pipeline: this.pipeline,
      leave: () => undefined
    }
  }
}

const retire = (endpoint: Endpoint | string): void => {
  if (typeof endpoint !== 'string') endpoint.pool.retire()
}

const faultText = (name: string, why: string): string => `the HTTPEndpoint "${name}" cannot be used (${why})`

const noSecrets: SecretOf = async (store: string) => Promise.reject(new Error(`there is no secret store ${store}`))

const pathOf = ({pathname}: URL): string => pathname.replace(/\/+$/, '')

const poolOf = (url: URL, dial: ReturnType<typeof webDial>): Pool =>
  new Pool({hosts: [url.hostname], port: Number(url.port), dial, authority: url.host})

/** Returns the endpoint, or the reason why it cannot be called. */
function endpointOf(resource: HttpEndpoint, env: Environment): Endpoint | string {
  const {name, baseUrl, headers, rootCa, certificate, privateKey, fault} = resource
  if (fault !== '') return faultText(name, fault)
  const url = new URL(baseUrl)
  const names = headers.map(([header]) => header.toLowerCase())
  const dial = webDial({
    origin: url,
    credentials: {ca: rootCa, cert: certificate, key: privateKey},
    followsRedirects: true,
    secretHeaders: names,
    env
  })
  const lines = headers.map(([header, value]) => `${header}: ${Buffer.from(value).toString('latin1')}\r\n`).join('')
  return {pool: poolOf(url, dial), path: pathOf(url), root: url.pathname, lines, names}
}

/** Returns how calls reach an external URL. */
const webDial = (options: WebOptions): Dial => {
  const scheme = options.origin.protocol === 'https:' ? 'https' : 'http'
  const remote = async () => (await import('../net/web/connect-web.ts')).connectWeb(options)
  return {protocol: 'HTTP/1.1', scheme, remote}
}
