import {setTimeout as pause} from 'node:timers/promises'
import {Random} from '../../fuzz/random.ts'
import type {SeedWalk} from '../seeds.ts'
import {APPS, House, SERVERS, type App, type ServerName} from './house.ts'

/** Where a component keeps what it has; `broken`: no component has this type. */
type Place = ServerName | 'memory' | 'broken' | 'none'
const PLACES: readonly Place[] = ['a', 'a', 'b', 'b', 'memory', 'broken', 'none']
const NAMES = ['store', 'bus'] as const
type Name = (typeof NAMES)[number]
const TYPES: Readonly<Record<Name, string>> = {store: 'state', bus: 'pubsub'}
const KINDS: Readonly<Record<Exclude<Place, 'none'>, string>> = {
  a: 'redis',
  b: 'redis',
  memory: 'in-memory',
  broken: 'nothing'
}

/** So long a run may take until it is as its files and its servers are. */
const SETTLED_MS = 15_000
const LOOK_MS = 20

const isServer = (place: Place): place is ServerName => SERVERS.some(name => name === place)

/**
 * The files of two components and a subscription change in any order, and the servers behind them come and go. At rest what the apps find is
 * what the files say: the right server has the state, events reach those who subscribe and nobody else, and what no file names has
 * no connection.
 */
export async function walkComponents({
  seed,
  steps
}: {
  readonly seed: number
  readonly steps: number
}): Promise<SeedWalk> {
  const walk = new Walk(seed)
  const done: string[] = []
  let faults: readonly string[] = []
  try {
    await walk.house.open()
    for (let step = 1; step <= steps && faults.length === 0; step++) {
      done.push(await walk.step())
      if (!walk.isHurried() || step === steps) {
        faults = await walk.faults()
        done.push('look')
      }
    }
  } catch (error) {
    faults = [`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`]
  }
  const report = faults.length === 0 ? [] : [walk.house.report]
  await walk.house.close(true)
  return {faults, steps: [...done, ...report]}
}

class Walk {
  readonly house = new House()
  readonly #random: Random
  readonly #up = new Set<ServerName>(SERVERS)
  readonly #places: Record<Name, Place> = {store: 'none', bus: 'none'}
  /** The apps that have opened it: what could not be opened is tried with the next change of a component, and as the app is started again. */
  readonly #opened: Readonly<Record<Name, Set<App>>> = {store: new Set(APPS), bus: new Set(APPS)}
  #subscribed: readonly App[] = []
  /** The run has come to rest since the last change. */
  #rests = true
  #count = 0

  constructor(seed: number) {
    this.#random = new Random('components', seed)
  }

  isHurried(): boolean {
    return this.#random.oneIn(3)
  }

  async step(): Promise<string> {
    const done = await this.#step()
    this.#rests = false
    return done
  }

  async #step(): Promise<string> {
    const kind = this.#random.below(10)
    if (kind < 4) return this.#edit(this.#random.pick(NAMES))
    if (kind < 6) return this.#subscribe()
    if (kind < 9) return this.#power(this.#random.pick(SERVERS))
    const app = this.#random.pick(APPS)
    await this.house.restart(app)
    this.#tried([app])
    return `restart ${app}`
  }

  async #edit(name: Name): Promise<string> {
    const place = this.#random.pick(PLACES)
    const ignoreErrors = this.#random.oneIn(2)
    const ofServer = isServer(place) ? {redisHost: `localhost:${this.house.portOf(place)}`} : {}
    // the number makes it another file
    const metadata = {...ofServer, edit: (++this.#count).toString()}
    await this.house.component(name, place === 'none' ? undefined : `${TYPES[name]}.${KINDS[place]}`, metadata, {
      ignoreErrors
    })
    // a file that is not there cannot be removed
    const isChanged = place !== 'none' || this.#places[name] !== 'none'
    this.#places[name] = place
    this.#opened[name].clear()
    if (isChanged) this.#tried(APPS)
    return `${name}: ${place}${ignoreErrors ? ', errors are ignored' : ''}`
  }

  /** Apps have tried to open what they had not opened. */
  #tried(apps: readonly App[]): void {
    for (const name of NAMES) {
      const place = this.#places[name]
      if (isServer(place) && !this.#up.has(place)) continue
      for (const app of apps) this.#opened[name].add(app)
    }
  }

  async #subscribe(): Promise<string> {
    const apps = this.#random.pick([[], ['alpha'], ['beta'], ['alpha', 'beta']] as const)
    const text = JSON.stringify({
      apiVersion: 'dapr.io/v2alpha1',
      kind: 'Subscription',
      metadata: {name: 'news'},
      spec: {pubsubname: 'bus', topic: 'news', routes: {default: '/news'}},
      scopes: apps
    })
    await this.house.file('news', apps.length === 0 ? undefined : text)
    this.#subscribed = apps
    return `subscribed: ${apps.join(', ') || 'nobody'}`
  }

  async #power(name: ServerName): Promise<string> {
    if (this.#up.delete(name)) {
      await this.house.kill(name)
      // what was on its way to it has found it, or has not
      for (const each of NAMES) if (!this.#rests && this.#places[each] === name) this.#opened[each].clear()
      return `kill server ${name}`
    }
    await this.house.start(name)
    this.#up.add(name)
    return `start server ${name}`
  }

  /** What is wrong once the run has come to rest. */
  async faults(): Promise<readonly string[]> {
    let faults: readonly string[] = []
    for (const end = performance.now() + SETTLED_MS; performance.now() < end; await pause(LOOK_MS)) {
      if (this.house.hasEnded) return ['the run has ended']
      const looks = [this.#listFaults(), this.#stateFaults(), this.#eventFaults(), this.#connectionFaults()]
      faults = (await Promise.all(looks)).flat()
      this.#rests = faults.length === 0
      if (this.#rests) break
    }
    return faults
  }

  /** Whether what the file says must work for an app now; undefined: it may. */
  #works(name: Name, app: App): boolean | undefined {
    const place = this.#places[name]
    if (place === 'none') return false
    if (place === 'broken' || !this.#opened[name].has(app) || (isServer(place) && !this.#up.has(place)))
      return undefined
    return true
  }

  /** What each app is told of its components. */
  async #listFaults(): Promise<readonly string[]> {
    const lists = APPS.map(async app => {
      const {text} = await this.house.call(app, 'GET', 'metadata')
      const {components = []} = JSON.parse(text) as {readonly components?: readonly {readonly name: string}[]}
      return NAMES.flatMap(name => {
        const isListed = components.some(each => each.name === name)
        const works = this.#works(name, app)
        return works === undefined || works === isListed
          ? []
          : [`${app} ${isListed ? 'lists' : 'does not list'} ${name}`]
      })
    })
    return (await Promise.all(lists)).flat()
  }

  async #stateFaults(): Promise<readonly string[]> {
    const place = this.#places.store
    return (
      await Promise.all(
        APPS.map(async app => {
          const works = this.#works('store', app)
          const value = `v${++this.#count}`
          const saved = await this.house.call(app, 'POST', 'state/store', [{key: 'k', value}])
          if (works === undefined) return []
          if (!works) return saved.status < 400 ? [`${app} saves in a store that no file has: ${saved.status}`] : []
          if (saved.status !== 204) return [`${app} cannot save at ${place}: ${saved.status} ${saved.text}`]
          const got = await this.house.call(app, 'GET', 'state/store/k')
          if (got.text !== JSON.stringify(value)) return [`${app} finds ${got.text}, not ${value}, at ${place}`]
          if (!isServer(place)) return []
          const kept = await this.house.ask(place, 'HGET', `${app}||k`, 'data')
          return kept.includes(value) ? [] : [`server ${place} has ${kept}, not ${value} of ${app}`]
        })
      )
    ).flat()
  }

  async #eventFaults(): Promise<readonly string[]> {
    const publisher = this.#count % 2 === 0 ? 'alpha' : 'beta'
    const works = this.#works('bus', publisher)
    const text = `e${++this.#count}`
    const published = await this.house.call(publisher, 'POST', 'publish/bus/news', text)
    if (works === undefined) return []
    if (!works) return published.status < 400 ? [`it publishes where no file has a broker: ${published.status}`] : []
    if (published.status !== 204)
      return [`cannot publish at ${this.#places.bus}: ${published.status} ${published.text}`]
    // a broker in memory is one for each sidecar, as in Dapr
    const isNear = (app: App): boolean => this.#places.bus !== 'memory' || app === publisher
    const readers = this.#subscribed.filter(app => isNear(app) && this.#works('bus', app) === true)
    const has = (app: App): boolean => this.house.got(app).includes(text)
    for (const end = performance.now() + 2000; performance.now() < end; await pause(LOOK_MS))
      if (readers.every(has)) break
    const lacks = readers.filter(app => !has(app))
    const strangers = APPS.filter(app => has(app) && !this.#subscribed.includes(app))
    return [
      ...lacks.map(app => `${app} does not get an event of ${this.#places.bus}`),
      ...strangers.map(app => `${app} gets an event to which it does not subscribe`)
    ]
  }

  /** A server that no file names has no clients. */
  async #connectionFaults(): Promise<readonly string[]> {
    const used = NAMES.map(name => this.#places[name])
    // one that could not be replaced stays open
    if (NAMES.some(name => APPS.some(app => this.#works(name, app) === undefined))) return []
    const idle = SERVERS.filter(name => this.#up.has(name) && !used.includes(name))
    const faults = await Promise.all(
      idle.map(async name => {
        const clients = (await this.house.ask(name, 'CLIENT', 'LIST')).split('\\n').filter(line => line.includes('id='))
        return clients.length > 1 ? [`server ${name} has ${clients.length - 1} clients, and no file names it`] : []
      })
    )
    return faults.flat()
  }
}
