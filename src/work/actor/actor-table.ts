import {type Actor, type ActorType, Hosting} from './actor.ts'
import type {ActorHost} from './actor-host.ts'

/** The types and active actors of an instance, for reports. */
export interface HostedAt {
  /** Whether its process accepts calls. */
  readonly isReady: boolean
  /** How many of its actors are active, by type. */
  readonly active: ReadonlyMap<string, number>
}

/** Hosts with their types, and all actors that are active or have waiting calls. */
export class ActorTable {
  readonly #types = new Map<string, ActorType>()
  readonly #hostings = new Map<ActorHost, Hosting>()
  readonly #idle: ActorType['idle']

  /** `idle` is called when the idle time of an actor may be over. */
  constructor(idle: ActorType['idle']) {
    this.#idle = idle
  }

  /** The types that have a host. */
  get types(): readonly ActorType[] {
    return [...this.#types.values()].filter(({hosts}) => hosts.size > 0)
  }

  /** The types that have a host or calls. */
  get known(): readonly ActorType[] {
    return [...this.#types.values()]
  }

  get hosted(): readonly string[] {
    return this.types.map(({name}) => name)
  }

  /** All hosts, also those that host no type now. */
  get hostings(): readonly Hosting[] {
    return [...this.#hostings.values()]
  }

  /** Returns an actor that is active or has waiting calls; undefined: neither. */
  find(type: string, id: string): Actor | undefined {
    return this.#types.get(type)?.actors.get(id)
  }

  isActiveAt(instance: string, type: string, id: string): boolean {
    return this.find(type, id)?.place?.host.instance === instance
  }

  isHosted(type: string): boolean {
    return (this.#types.get(type)?.hosts.size ?? 0) > 0
  }

  isHostedBy(app: string, type: string): boolean {
    return [...(this.#types.get(type)?.hosts ?? [])].some(({host}) => host.app === app)
  }

  hostedAt(instance: string): HostedAt | undefined {
    const hostings = this.hostingsAt(instance)
    if (hostings.length === 0) return undefined
    const active = new Map<string, number>()
    for (const name of hostings.flatMap(({types}) => [...(types?.keys() ?? [])])) active.set(name, 0)
    for (const actor of hostings.flatMap(each => this.actorsAt(each)))
      active.set(actor.type.name, (active.get(actor.type.name) ?? 0) + 1)
    return {isReady: hostings.some(({isOpen}) => isOpen), active}
  }

  hostingsAt(instance: string): readonly Hosting[] {
    return this.hostings.filter(({host}) => host.instance === instance)
  }

  actorsAt(hosting: Hosting): readonly Actor[] {
    return this.known.flatMap(({actors}) => [...actors.values()].filter(each => each.place === hosting))
  }

  set(host: ActorHost, types: Hosting['types'] & {}): void {
    const hosting = this.#hostings.get(host) ?? new Hosting(host)
    this.#hostings.set(host, hosting)
    hosting.types = types
    for (const type of this.#types.values()) if (!types.has(type.name)) type.hosts.delete(hosting)
    for (const name of types.keys()) this.typeOf(name).hosts.add(hosting)
  }

  delete(host: ActorHost): void {
    const hosting = this.#hostings.get(host)
    this.#hostings.delete(host)
    if (hosting !== undefined) for (const type of this.#types.values()) type.hosts.delete(hosting)
  }

  /** Returns the type of this name, which it creates if necessary. */
  typeOf(name: string): ActorType {
    const known = this.#types.get(name)
    if (known !== undefined) return known
    const type: ActorType = {name, hosts: new Set(), actors: new Map(), idle: this.#idle}
    this.#types.set(name, type)
    return type
  }

  /** Removes an actor that is not active and has no waiting calls. */
  forget({type, id}: Actor): void {
    type.actors.delete(id)
    if (type.actors.size === 0 && type.hosts.size === 0) this.#types.delete(type.name)
  }
}
