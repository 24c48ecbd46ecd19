import {Instances, type Identify} from './instances.ts'
import type {Callee} from './local-apps.ts'

/** An app that may be one of several versions of its id. */
export interface Versioned {
  readonly id: string
  readonly plan: {readonly version: string}
}

/** The open app that answers for a name in a path. */
export interface Named<M> {
  /** The first of its instances. */
  readonly runtime: M
  /** All instances, if there are several. */
  readonly callee: M | Instances
  /** Whether the name is a plain id: the main version gets the call, and the shadows get copies. */
  readonly isById: boolean
}

/** The app version that a name in a path means, whether the app is open or not. */
export interface Meant {
  readonly id: string
  readonly version: string
  /** Whether the name is a plain id, without a version. */
  readonly isById: boolean
}

interface Index<M> {
  /** Open apps by `<id>_<version>`, and main versions also by their id. */
  readonly named: ReadonlyMap<string, Named<M>>
  readonly meant: ReadonlyMap<string, Meant>
  /** Open shadow versions by id. */
  readonly shadows: ReadonlyMap<string, readonly Named<M>[]>
}

/**
 * The versions of each app id. The main version serves calls to the id, the other versions are its shadows. The first version in the template
 * is the main one until `assign` chooses another, even while its app is down. Apps with equal id and version are instances of one app. A
 * closed app stays known until `arrange` omits it, since an edit or the user may open it again.
 */
export class Versions<M extends Versioned & Callee> {
  /** The open apps. */
  readonly #runtimes: M[]
  /** The open apps, and the latest runtime of each closed app. */
  #known: readonly M[]
  readonly #assigned = new Map<string, string>()
  /** Lookup tables, built at the first lookup after a change; undefined: not built since. */
  #index: Index<M> | undefined

  constructor(runtimes: readonly M[]) {
    this.#runtimes = [...runtimes]
    this.#known = runtimes
  }

  /** The open apps, in the order of the template, then of the deployments. */
  get runtimes(): readonly M[] {
    return this.#runtimes
  }

  /** An app of each version: an open instance if there is any, otherwise the first. */
  get known(): readonly M[] {
    return [...Map.groupBy(this.#known, nameOf).values()].flatMap(
      instances => instances.find(each => this.#runtimes.includes(each)) ?? instances.slice(0, 1)
    )
  }

  /** Adds an app that is open. */
  add(runtime: M): void {
    if (this.#runtimes.includes(runtime)) return
    this.#runtimes.push(runtime)
    this.#known = [...this.#known, runtime]
    this.#index = undefined
  }

  /** Sorts the apps. `order`: all apps of the run; closed apps that it omits have left the run. */
  arrange(order: readonly M[]): void {
    this.#runtimes.sort((a, b) => order.indexOf(a) - order.indexOf(b))
    this.#known = order
    for (const [id, version] of this.#assigned) if (!this.#isKnown(id, version)) this.#assigned.delete(id)
    this.#index = undefined
  }

  /** Removes an app that is closed. */
  remove(runtime: M): void {
    const at = this.#runtimes.indexOf(runtime)
    if (at >= 0) this.#runtimes.splice(at, 1)
    this.#index = undefined
  }

  /** Makes a version the main one of its id, from the next call on. */
  assign(id: string, version: string): void {
    if (!this.#isKnown(id, version)) return
    this.#assigned.set(id, version)
    this.#index = undefined
  }

  /** Returns the first instance of an id's main version, if it is open. */
  main(id: string): M | undefined {
    const named = this.find(id)
    return named?.isById === true ? named.runtime : undefined
  }

  /** Returns the app or the instances that get the calls to an id; undefined: none is open. */
  callee(id: string): M | Instances | undefined {
    const named = this.find(id)
    return named?.isById === true ? named.callee : undefined
  }

  isMain({id, plan}: M): boolean {
    const meant = this.meant(id)
    return meant?.isById === true && meant.version === plan.version
  }

  /** Returns the identity of an app as a caller. */
  readonly identify: Identify = id => this.main(id)?.opening.identity

  /** Returns the open versions to which calls for an id are mirrored. */
  shadows(id: string): readonly Named<M>[] {
    return (this.#index ??= this.#makeIndex()).shadows.get(id) ?? []
  }

  /** Returns the open app for `<id>` or `<id>_<version>`. The template reader has refused ambiguous names. */
  find(name: string): Named<M> | undefined {
    return (this.#index ??= this.#makeIndex()).named.get(name)
  }

  /** Returns the app version that a name means, open or closed; undefined: no app of the run has it. */
  meant(name: string): Meant | undefined {
    return (this.#index ??= this.#makeIndex()).meant.get(name)
  }

  #isKnown(id: string, version: string): boolean {
    return this.#known.some(each => each.id === id && each.plan.version === version)
  }

  #makeIndex(): Index<M> {
    const named = new Map<string, Named<M>>()
    const meant = new Map<string, Meant>()
    const shadows = new Map<string, readonly Named<M>[]>()
    for (const [name, instances] of Map.groupBy(this.#runtimes, nameOf)) named.set(name, this.#name(instances))
    const byId = Map.groupBy([...this.#known, ...this.#runtimes], ({id}) => id)
    for (const [id, runtimes] of byId)
      for (const {plan} of runtimes) meant.set(`${id}_${plan.version}`, {id, version: plan.version, isById: false})
    for (const [id, runtimes] of byId) {
      const versions = new Set(runtimes.map(({plan}) => plan.version))
      const [first = ''] = versions
      const version = this.#assigned.get(id) ?? first
      meant.set(id, {id, version, isById: true})
      const of = (each: string): readonly Named<M>[] =>
        [named.get(`${id}_${each}`)].filter(found => found !== undefined)
      const [main] = of(version)
      if (main === undefined) named.delete(id)
      else named.set(id, {...main, isById: true})
      shadows.set(id, [...versions].filter(each => each !== version).flatMap(of))
    }
    return {named, meant, shadows}
  }

  #name(instances: readonly M[]): Named<M> {
    const [runtime] = instances
    if (runtime === undefined) throw new Error('a version has no instance')
    return {runtime, callee: instances.length === 1 ? runtime : new Instances(instances), isById: false}
  }
}

const nameOf = ({id, plan}: Versioned): string => `${id}_${plan.version}`
