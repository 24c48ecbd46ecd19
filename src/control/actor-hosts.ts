import {clientOf} from './client.ts'
import type {LeaseSearch} from './sidecar-leases.ts'

/** How long what was found is used, in ms. */
const FOUND_MS = 2000
/** Callers may ask for any. */
const MAX_TYPES = 1000

/** Which apps of the user's other runs host which types of actors. */
export class ActorHosts {
  readonly #search: Pick<LeaseSearch, 'candidates' | 'within'>
  readonly #found = new Map<string, {readonly host: Promise<string | undefined>; readonly askedAt: number}>()

  constructor(search: Pick<LeaseSearch, 'candidates' | 'within'>) {
    this.#search = search
  }

  /** The id of an app that hosts actors of this type; undefined: none does. */
  async of(type: string): Promise<string | undefined> {
    const known = this.#found.get(type)
    if (known !== undefined && performance.now() - known.askedAt < FOUND_MS) return known.host
    const host = this.#ask(type)
    if (this.#found.size >= MAX_TYPES) this.#found.clear()
    this.#found.set(type, {host, askedAt: performance.now()})
    return host
  }

  async #ask(type: string): Promise<string | undefined> {
    const candidates = await this.#search.candidates()
    const hosts = await Promise.all(
      candidates.map(async ({path}) =>
        this.#search.within(path, async signal => {
          const {types} = await clientOf(path).ask('GET /actors', {signal})
          return types.find(each => each.type === type)?.hosts[0]
        })
      )
    )
    // of several instances the first one: the app has the same id
    return hosts.find(host => host !== undefined)?.replace(/\.\d+$/, '')
  }
}
