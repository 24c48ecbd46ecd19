import type {AppPlan} from '../model/plan.ts'
import type {Call} from '../model/call.ts'
import type {Admission, Admit} from './admission.ts'
import {readEndpoints, fingerprintOf, type HttpEndpoint} from '../resources/http-endpoints.ts'
import {webDial} from '../net/external-adapter.ts'
import {Pool} from '../net/pool.ts'
import type {Reporter} from '../model/reporter.ts'

export interface ExternalEndpointsOptions {
  readonly plan: AppPlan
  /** The environment that we were started in. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly reporter: Reporter
  /** Takes the calls to apps. */
  readonly inside: Admit
}

/** Whom an app calls that is no app: by the name of an HTTPEndpoint, or by a URL. */
interface Place {
  readonly pool: Pool
  /** Of the base URL. */
  readonly path: string
  /** The same as it is written: what is called where no method is named. */
  readonly root: string
  /** Fields for each request, in the place of the caller's: lines, and names in small letters. */
  readonly lines: string
  readonly names: readonly string[]
}

/** Resources are looked at again so often, by the calls that need them. */
const FRESH_MS = 1000
/** URLs whose connections are kept. */
const MAX_URLS = 100
const IS_URL = /^https?:\/\//

const NOBODY = {ca: '', cert: '', key: ''}

/** The calls of one app to the outside. They carry no token and no name of ours (Dapr: pkg/runtime/channels). */
export class ExternalEndpoints {
  readonly #options: ExternalEndpointsOptions
  #places = new Map<string, Place | string>()
  readonly #urls = new Map<string, Place>()
  #fingerprint = ''
  #readAt = -Infinity

  constructor(options: ExternalEndpointsOptions) {
    this.#options = options
  }

  /** The names of the HTTPEndpoints that are for this app. */
  get names(): readonly string[] {
    this.#refresh()
    return [...this.#places.keys()]
  }

  /** An endpoint's name goes before an app's. */
  readonly admit: Admit = (call, isRefused) => {
    if (IS_URL.test(call.callee)) return this.#url(call)
    this.#refresh()
    const place = this.#places.get(call.callee)
    if (place === undefined) return this.#options.inside(call, isRefused)
    if (typeof place === 'string') return denied(place)
    return admitted(place)
  }

  close(): void {
    for (const place of [...this.#places.values(), ...this.#urls.values()])
      if (typeof place !== 'string') place.pool.retire()
  }

  #refresh(): void {
    const {folders} = this.#options.plan.resources
    const now = performance.now()
    if (folders.length === 0 || now - this.#readAt < FRESH_MS) return
    this.#readAt = now
    const fingerprint = fingerprintOf(folders)
    if (fingerprint === this.#fingerprint) return
    this.#fingerprint = fingerprint
    const {plan, env, reporter} = this.#options
    const endpoints = readEndpoints(folders, {appId: plan.id, env}, text => reporter.warn('resource-not-used', text))
    for (const place of this.#places.values()) if (typeof place !== 'string') place.pool.retire()
    this.#places = new Map(endpoints.map(endpoint => [endpoint.name, placeOf(endpoint)]))
  }

  #url({callee}: Call): Admission {
    const known = this.#urls.get(callee)
    if (known !== undefined) return admitted(known)
    if (!URL.canParse(callee)) return denied(`parse "${callee}": invalid URL`)
    if (this.#urls.size >= MAX_URLS) {
      for (const {pool} of this.#urls.values()) pool.retire()
      this.#urls.clear()
    }
    const url = new URL(callee)
    const dial = webDial({origin: url, credentials: NOBODY, followsRedirects: false, secretFields: []})
    const place = {pool: poolOf(url, dial), path: pathOf(url), root: url.pathname, lines: '', names: []}
    this.#urls.set(callee, place)
    return admitted(place)
  }
}

const denied = (error: string): Admission => ({ok: false, status: 500, error})

const admitted = ({pool, path, root, lines, names}: Place): Admission => ({
  ok: true,
  pool,
  isLocal: true,
  token: '',
  pathPrefix: path,
  external: {lines, names, root},
  leave: () => undefined
})

const pathOf = ({pathname}: URL): string => pathname.replace(/\/+$/, '')

const poolOf = (url: URL, dial: ReturnType<typeof webDial>): Pool =>
  new Pool({hosts: [url.hostname], port: Number(url.port), dial, authority: url.host})

/** What is called, or why it cannot be. */
function placeOf({name, baseUrl, headers, rootCa, certificate, privateKey, fault}: HttpEndpoint): Place | string {
  if (fault !== '') return `the HTTPEndpoint "${name}" cannot be used (${fault})`
  const url = new URL(baseUrl)
  const names = headers.map(([header]) => header.toLowerCase())
  const dial = webDial({
    origin: url,
    credentials: {ca: rootCa, cert: certificate, key: privateKey},
    followsRedirects: true,
    secretFields: names
  })
  const lines = headers.map(([header, value]) => `${header}: ${Buffer.from(value).toString('latin1')}\r\n`).join('')
  return {pool: poolOf(url, dial), path: pathOf(url), root: url.pathname, lines, names}
}
