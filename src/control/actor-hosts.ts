import {setTimeout as pause} from 'node:timers/promises'
import {clientOf} from './client.ts'
import type {LeaseSearch} from './sidecar-leases.ts'

/** How long a found host is cached, in ms. The result that a type has no host expires sooner. */
const FOUND_MS = 2000
const NOT_FOUND_MS = 250
/** How long a call waits for an app of another run that is still to start, in ms (Dapr tries five times, a second apart). */
const HOLD_MS = 5000
/** Pause between two searches for a host, in ms. */
const LOOK_MS = 200
/** Maximum number of cached types: callers may ask for any name. */
const MAX_TYPES = 1000

interface Found {
  readonly host: Promise<string | undefined>
  /** Time until which the answer is used, by `performance.now()`. */
  until: number
}

/** Hosts of actor types among the apps of the user's other runs. */
export class ActorHosts {
  readonly #search: Pick<LeaseSearch, 'candidates' | 'within'>
  readonly #found = new Map<string, Found>()

  constructor(search: Pick<LeaseSearch, 'candidates' | 'within'>) {
    this.#search = search
  }

  /** Returns the id of the app that hosts actors of this type, if there is one. Waits for apps that have yet to start, as they may host it. */
  async of(type: string): Promise<string | undefined> {
    const known = this.#found.get(type)
    if (known !== undefined && performance.now() < known.until) return known.host
    const found: Found = {host: this.#look(type), until: Infinity}
    if (this.#found.size >= MAX_TYPES) this.#found.clear()
    this.#found.set(type, found)
    let host: string | undefined
    try {
      host = await found.host
    } finally {
      found.until = performance.now() + (host === undefined ? NOT_FOUND_MS : FOUND_MS)
    }
    return host
  }

  async #look(type: string): Promise<string | undefined> {
    const end = performance.now() + HOLD_MS
    let mayCome = false
    for (;;) {
      // an app that has just become ready registers its types a moment later
      const mightCome = mayCome
      mayCome = await this.#areStarting()
      const host = await this.#ask(type)
      if (host !== undefined || !(mayCome || mightCome) || performance.now() > end) return host
      await pause(LOOK_MS)
    }
  }

  /** Whether an app of another run is starting, so that it may soon host the type. */
  async #areStarting(): Promise<boolean> {
    const candidates = await this.#search.candidates()
    const starting = await Promise.all(
      candidates.map(async ({path}) =>
        this.#search.within(path, async signal => {
          const {apps} = await clientOf(path).ask('GET /apps', {signal})
          return apps.some(({availability}) => availability === 'waiting') ? true : undefined
        })
      )
    )
    return starting.includes(true)
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
    // a host is an instance, such as `shop.2`: all instances have the id of the app
    return hosts.find(host => host !== undefined)?.replace(/(?:\.\d+)?(?:@\d+\.\d+\.\d+.*)?$/, '')
  }
}
