/** What makes an app one of the versions of its id. */
export interface Versioned {
  readonly id: string
  readonly plan: {readonly version: string}
}

/** Who answers to a name that stands in a path. */
export interface Named<M> {
  readonly member: M
  /** The id alone was said: the main version is meant, and the shadows get copies. */
  readonly isById: boolean
}

/**
 * The versions of each app id: one is main, and answers for the id; the others are its shadows. The first in the
 * template is main until another one is assigned; a main that is down stays main.
 */
export class Versions<M extends Versioned> {
  readonly #members: M[]
  readonly #assigned = new Map<string, M>()
  #named = new Map<string, Named<M>>()
  #shadows = new Map<string, readonly M[]>()

  constructor(members: readonly M[]) {
    this.#members = [...members]
    this.#index()
  }

  /** In the order of the template, then of the deployments. */
  get members(): readonly M[] {
    return this.#members
  }

  add(member: M): void {
    this.#members.push(member)
    this.#index()
  }

  remove(member: M): void {
    const at = this.#members.indexOf(member)
    if (at >= 0) this.#members.splice(at, 1)
    if (this.#assigned.get(member.id) === member) this.#assigned.delete(member.id)
    this.#index()
  }

  /** Makes a version main from the next call on. */
  assign(id: string, version: string): void {
    const member = this.#members.find(each => each.id === id && each.plan.version === version)
    if (member === undefined) return
    this.#assigned.set(id, member)
    this.#index()
  }

  main(id: string): M | undefined {
    const named = this.#named.get(id)
    return named?.isById === true ? named.member : undefined
  }

  isMain(member: M): boolean {
    return this.main(member.id) === member
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
    for (const member of this.#members) {
      const {id, plan} = member
      const full = `${id}_${plan.version}`
      if (!named.has(full)) named.set(full, {member, isById: false})
    }
    for (const {id} of this.#members) {
      const versions = this.#members.filter(each => each.id === id)
      const main = this.#assigned.get(id) ?? versions[0]
      if (main === undefined) continue
      named.set(id, {member: main, isById: true})
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
