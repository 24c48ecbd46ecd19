import {Instances} from '../../gateway/instances.ts'
import type {Callee} from '../../gateway/local-apps.ts'

/** What makes an app one of the versions of its id. */
export interface Versioned {
  readonly id: string
  readonly plan: {readonly version: string}
}

/** Who answers to a name that stands in a path. */
export interface Named<M> {
  /** The first of its instances. */
  readonly runtime: M
  /** All instances, where there are several. */
  readonly callee: M | Instances
  /** The id alone was said: the main version is meant, and the shadows get copies. */
  readonly isById: boolean
}

/**
 * The versions of each app id: one is main, and answers for the id; the others are its shadows. The first in the
 * template is main until another one is assigned; a main that is down stays main. Apps of one id and one version are
 * instances of one app.
 */
export class Versions<M extends Versioned & Callee> {
  readonly #runtimes: M[]
  readonly #assigned = new Map<string, string>()
  #named = new Map<string, Named<M>>()
  #shadows = new Map<string, readonly Named<M>[]>()

  constructor(runtimes: readonly M[]) {
    this.#runtimes = [...runtimes]
    this.#index()
  }

  /** In the order of the template, then of the deployments. */
  get runtimes(): readonly M[] {
    return this.#runtimes
  }

  add(runtime: M): void {
    this.#runtimes.push(runtime)
    this.#index()
  }

  remove(runtime: M): void {
    const at = this.#runtimes.indexOf(runtime)
    if (at >= 0) this.#runtimes.splice(at, 1)
    this.#index()
  }

  /** Makes a version main from the next call on. */
  assign(id: string, version: string): void {
    if (this.instances(id, version).length === 0) return
    this.#assigned.set(id, version)
    this.#index()
  }

  /** The first instance of the main version. */
  main(id: string): M | undefined {
    const named = this.#named.get(id)
    return named?.isById === true ? named.runtime : undefined
  }

  /** Who answers for an id. */
  callee(id: string): M | Instances | undefined {
    const named = this.#named.get(id)
    return named?.isById === true ? named.callee : undefined
  }

  isMain({id, plan}: M): boolean {
    return this.main(id)?.plan.version === plan.version
  }

  instances(id: string, version: string): readonly M[] {
    return this.#runtimes.filter(each => each.id === id && each.plan.version === version)
  }

  /** Those that get copies of the calls to an id. */
  shadows(id: string): readonly Named<M>[] {
    return this.#shadows.get(id) ?? []
  }

  /** Who is meant by `<id>` or `<id>_<version>`. The template's rules see to it that no name means two. */
  find(name: string): Named<M> | undefined {
    return this.#named.get(name)
  }

  #index(): void {
    const named = new Map<string, Named<M>>()
    const shadows = new Map<string, readonly Named<M>[]>()
    for (const {id, plan} of this.#runtimes) {
      const name = `${id}_${plan.version}`
      if (!named.has(name)) named.set(name, this.#name(this.instances(id, plan.version)))
    }
    for (const {id} of this.#runtimes) {
      const versions = new Set(this.#runtimes.filter(each => each.id === id).map(({plan}) => plan.version))
      const assigned = this.#assigned.get(id)
      if (assigned !== undefined && !versions.has(assigned)) this.#assigned.delete(id)
      const [first = ''] = versions
      const main = this.#assigned.get(id) ?? first
      const of = (version: string): readonly Named<M>[] => [named.get(`${id}_${version}`)].filter(isThere)
      for (const each of of(main)) named.set(id, {...each, isById: true})
      shadows.set(id, [...versions].filter(version => version !== main).flatMap(of))
    }
    this.#named = named
    this.#shadows = shadows
  }

  #name(instances: readonly M[]): Named<M> {
    const [runtime] = instances
    if (runtime === undefined) throw new Error('a version has no instance')
    return {runtime, callee: instances.length === 1 ? runtime : new Instances(instances), isById: false}
  }
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined
