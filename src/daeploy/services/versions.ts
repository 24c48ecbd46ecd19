/** What makes an app one of the versions of its id. */
export interface Versioned {
  readonly id: string
  readonly plan: {readonly version: string}
}

/** Who answers to a name that stands in a path. */
export interface Named<M> {
  readonly runtime: M
  /** The id alone was said: the main version is meant, and the shadows get copies. */
  readonly isById: boolean
}

/**
 * The versions of each app id: one is main, and answers for the id; the others are its shadows. The first in the
 * template is main until another one is assigned; a main that is down stays main.
 */
export class Versions<M extends Versioned> {
  readonly #runtimes: M[]
  readonly #assigned = new Map<string, M>()
  #named = new Map<string, Named<M>>()
  #shadows = new Map<string, readonly M[]>()

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
    if (this.#assigned.get(runtime.id) === runtime) this.#assigned.delete(runtime.id)
    this.#index()
  }

  /** Makes a version main from the next call on. */
  assign(id: string, version: string): void {
    const runtime = this.#runtimes.find(each => each.id === id && each.plan.version === version)
    if (runtime === undefined) return
    this.#assigned.set(id, runtime)
    this.#index()
  }

  main(id: string): M | undefined {
    const named = this.#named.get(id)
    return named?.isById === true ? named.runtime : undefined
  }

  isMain(runtime: M): boolean {
    return this.main(runtime.id) === runtime
  }

  /** Those that get copies of the calls to an id. */
  shadows(id: string): readonly M[] {
    return this.#shadows.get(id) ?? []
  }

  /** Who is meant by `<id>` or `<id>_<version>`. The template's rules see to it that no name means two. */
  find(name: string): Named<M> | undefined {
    return this.#named.get(name)
  }

  #index(): void {
    const named = new Map<string, Named<M>>()
    const shadows = new Map<string, readonly M[]>()
    for (const runtime of this.#runtimes) {
      const {id, plan} = runtime
      const full = `${id}_${plan.version}`
      if (!named.has(full)) named.set(full, {runtime, isById: false})
    }
    for (const {id} of this.#runtimes) {
      const versions = this.#runtimes.filter(each => each.id === id)
      const main = this.#assigned.get(id) ?? versions[0]
      if (main === undefined) continue
      named.set(id, {runtime: main, isById: true})
      // two plain apps may share an id by mistake: those are no versions
      shadows.set(
        id,
        versions.filter(each => each.plan.version !== main.plan.version)
      )
    }
    this.#named = named
    this.#shadows = shadows
  }
}
