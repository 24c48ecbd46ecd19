import type {Identify} from './access.ts'
import {Instances} from './instances.ts'
import type {Callee} from './local-apps.ts'

/** An app that may be one of several versions of its id. */
export interface Versioned {
  readonly id: string
  readonly plan: {readonly version: string}
}

/** The app behind a name in a path. */
export interface Named<M> {
  /** The first of its instances. */
  readonly runtime: M
  /** All instances, if there are several. */
  readonly callee: M | Instances
  /** The name is an id: it stands for the main version, and calls are mirrored to the shadows. */
  readonly isById: boolean
}

interface Index<M> {
  /** By `<id>_<version>`, and by id for the main version. */
  readonly named: ReadonlyMap<string, Named<M>>
  /** By id. */
  readonly shadows: ReadonlyMap<string, readonly Named<M>[]>
}

/**
 * The versions of each app id: one is the main version and serves calls to the id; the others are its shadows. The first one
 * in the template is the main version until another one is assigned, even while it is down. Apps with the same id and
 * version are instances of one app.
 */
export class Versions<M extends Versioned & Callee> {
  readonly #runtimes: M[]
  readonly #assigned = new Map<string, string>()
  /** Undefined until it is needed; then made once for all that were added before. */
  #index: Index<M> | undefined

  constructor(runtimes: readonly M[]) {
    this.#runtimes = [...runtimes]
  }

  /** In the order of the template, then of the deployments. */
  get runtimes(): readonly M[] {
    return this.#runtimes
  }

  add(runtime: M): void {
    this.#runtimes.push(runtime)
    this.#index = undefined
  }

  /** Brings the apps into an order that names them all. */
  arrange(order: readonly M[]): void {
    this.#runtimes.sort((a, b) => order.indexOf(a) - order.indexOf(b))
    this.#index = undefined
  }

  remove(runtime: M): void {
    const at = this.#runtimes.indexOf(runtime)
    if (at >= 0) this.#runtimes.splice(at, 1)
    const {id, plan} = runtime
    if (this.#assigned.get(id) === plan.version && this.instances(id, plan.version).length === 0)
      this.#assigned.delete(id)
    this.#index = undefined
  }

  /** Makes a version the main one from the next call on. */
  assign(id: string, version: string): void {
    if (this.instances(id, version).length === 0) return
    this.#assigned.set(id, version)
    this.#index = undefined
  }

  /** The first instance of the main version. */
  main(id: string): M | undefined {
    const named = this.find(id)
    return named?.isById === true ? named.runtime : undefined
  }

  /** Who answers for an id. */
  callee(id: string): M | Instances | undefined {
    const named = this.find(id)
    return named?.isById === true ? named.callee : undefined
  }

  isMain({id, plan}: M): boolean {
    return this.main(id)?.plan.version === plan.version
  }

  instances(id: string, version: string): readonly M[] {
    return this.#runtimes.filter(each => each.id === id && each.plan.version === version)
  }

  /** Who an app of the run is when it calls others. */
  readonly identify: Identify = id => this.main(id)?.identity

  /** The versions to which calls for an id are mirrored. */
  shadows(id: string): readonly Named<M>[] {
    return (this.#index ??= this.#makeIndex()).shadows.get(id) ?? []
  }

  /** The app for `<id>` or `<id>_<version>`. The template is checked for ambiguous names. */
  find(name: string): Named<M> | undefined {
    return (this.#index ??= this.#makeIndex()).named.get(name)
  }

  #makeIndex(): Index<M> {
    const named = new Map<string, Named<M>>()
    const shadows = new Map<string, readonly Named<M>[]>()
    const byId = Map.groupBy(this.#runtimes, ({id}) => id)
    for (const [id, runtimes] of byId)
      for (const [version, instances] of Map.groupBy(runtimes, ({plan}) => plan.version)) {
        const name = `${id}_${version}`
        if (!named.has(name)) named.set(name, this.#name(instances))
      }
    for (const [id, runtimes] of byId) {
      const versions = new Set(runtimes.map(({plan}) => plan.version))
      const [first = ''] = versions
      const main = this.#assigned.get(id) ?? first
      const of = (version: string): readonly Named<M>[] => [named.get(`${id}_${version}`)].filter(isThere)
      for (const each of of(main)) named.set(id, {...each, isById: true})
      shadows.set(id, [...versions].filter(version => version !== main).flatMap(of))
    }
    return {named, shadows}
  }

  #name(instances: readonly M[]): Named<M> {
    const [runtime] = instances
    if (runtime === undefined) throw new Error('a version has no instance')
    return {runtime, callee: instances.length === 1 ? runtime : new Instances(instances), isById: false}
  }
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined
