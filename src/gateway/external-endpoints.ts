import {isDeepStrictEqual} from 'node:util'
import type {Call} from '../model/call.ts'
import type {Admission, Admit} from './admission.ts'
import type {HttpEndpoint} from '../resources/http-endpoints.ts'
import type {AppResources} from '../resources/resource-store.ts'
import {webDial} from '../net/external-adapter.ts'
import {Pool} from '../net/pool.ts'

export interface ExternalEndpointsOptions {
  readonly resources: AppResources
  /** Takes the calls to apps. */
  readonly inside: Admit
}

/** An HTTPEndpoint, and where it leads or why it leads nowhere. */
interface Known {
  readonly endpoint: HttpEndpoint
  readonly place: Place | string
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

/** URLs whose connections are kept. */
const MAX_URLS = 100
const IS_URL = /^https?:\/\//

const NOBODY = {ca: '', cert: '', key: ''}

/** The calls of one app to the outside. They carry no token and no name of ours (Dapr: pkg/runtime/channels). */
export class ExternalEndpoints {
  readonly #resources: AppResources
  readonly #inside: Admit
  #known: ReadonlyMap<string, Known>
  readonly #urls = new Map<string, Place>()
  readonly #unfollow: () => void

  constructor({resources, inside}: ExternalEndpointsOptions) {
    this.#resources = resources
    this.#inside = inside
    this.#known = this.#places(new Map())
    this.#unfollow = resources.onChange(() => {
      this.#known = this.#places(this.#known)
    })
  }

  /** An endpoint's name goes before an app's. */
  readonly admit: Admit = (call, isRefused) => {
    if (IS_URL.test(call.callee)) return this.#url(call)
    const place = this.#known.get(call.callee)?.place
    if (place === undefined) return this.#inside(call, isRefused)
    if (typeof place === 'string') return denied(place)
    return admitted(place)
  }

  close(): void {
    this.#unfollow()
    for (const {place} of this.#known.values()) retire(place)
    for (const place of this.#urls.values()) retire(place)
  }

  /** The connections of an endpoint that is as before are kept. */
  #places(before: ReadonlyMap<string, Known>): ReadonlyMap<string, Known> {
    const {endpoints} = this.#resources.snapshot
    const known = new Map(
      endpoints.map(endpoint => {
        const old = before.get(endpoint.name)
        return [
          endpoint.name,
          isDeepStrictEqual(old?.endpoint, endpoint) && old !== undefined ? old : {endpoint, place: placeOf(endpoint)}
        ] as const
      })
    )
    for (const [name, old] of before) if (known.get(name) !== old) retire(old.place)
    return known
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

const retire = (place: Place | string): void => {
  if (typeof place !== 'string') place.pool.retire()
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
