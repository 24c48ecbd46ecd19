import {randomUUID} from 'node:crypto'
import type {Clock} from '../../platform/clock.ts'
import {Actor, turnOf, type ActorTurn, type TurnOptions} from './actor.ts'
import {ActorError} from './actor-error.ts'
import type {ActorAnswer, ActorHost, ActorRequest, TypeSettings} from './actor-host.ts'
import {countFiring, type CountActors} from './count-firing.ts'
import {Agenda} from './agenda.ts'
import {Hosting, type ActorType} from './hosting.ts'
import {placeFor} from './place-for.ts'
import {letGo} from './let-go.ts'
import {Timers} from './timers.ts'

export interface ActorsOptions {
  readonly clock: Clock
  /** Whether the process of an instance has not told yet what it hosts; left out: of any app. */
  readonly mayHost: (app?: string) => boolean
  readonly counted?: CountActors
}

/** What an instance of an app hosts. */
export interface HostedAt {
  /** Its process takes calls. */
  readonly isReady: boolean
  /** How many of its actors are active, by type. */
  readonly active: ReadonlyMap<string, number>
}

/** More calls than this do not wait for one actor. */
const MAX_WAITING = 10_000

const NOTHING: readonly ActorTurn[] = []

/**
 * The actors of a run: which instance hosts which type, where each actor lives, and one call at a time in each (Dapr: pkg/actors).
 * It is a table: there is one process that all calls pass.
 */
export class Actors {
  readonly #options: ActorsOptions
  readonly timers: Timers
  readonly #agenda: Agenda
  readonly #types = new Map<string, ActorType>()
  readonly #hostings = new Map<ActorHost, Hosting>()
  /** Resolved by the next look. */
  #looked = Promise.withResolvers<void>()
  #isClosed = false

  constructor(options: ActorsOptions) {
    this.#options = options
    this.#agenda = new Agenda(options.clock)
    this.timers = new Timers({clock: options.clock, agenda: this.#agenda, run: this.run})
  }

  /** The types that are hosted, by name. */
  get types(): readonly ActorType[] {
    return [...this.#types.values()].filter(({hosts}) => hosts.size > 0)
  }

  /** The same, and those that are not hosted and somebody waits for. */
  get known(): readonly ActorType[] {
    return [...this.#types.values()]
  }

  /** The time by which turns are measured, in ms. */
  get now(): number {
    return this.#options.clock.now()
  }

  /** Their names. */
  get hosted(): readonly string[] {
    return this.types.map(({name}) => name)
  }

  /** What an instance hosts; undefined: nothing. */
  hostedAt(instance: string): HostedAt | undefined {
    const hostings = this.#hostingsAt(instance)
    if (hostings.length === 0) return undefined
    const active = new Map<string, number>()
    for (const name of hostings.flatMap(({types}) => [...(types?.keys() ?? [])])) active.set(name, 0)
    for (const actor of hostings.flatMap(each => this.#at(each)))
      active.set(actor.type.name, (active.get(actor.type.name) ?? 0) + 1)
    return {isReady: hostings.some(({isOpen}) => isOpen), active}
  }

  /** The actor, if it is active or somebody waits for it. */
  find(type: string, id: string): Actor | undefined {
    return this.#types.get(type)?.actors.get(id)
  }

  /** Whether it is active at this instance. */
  isActiveAt(instance: string, type: string, id: string): boolean {
    return this.find(type, id)?.place?.host.instance === instance
  }

  /** Whether an instance of this app hosts the type; settles when its process has told. */
  async isHostedBy(app: string, type: string): Promise<boolean> {
    const isHosted = (): boolean => [...(this.#types.get(type)?.hosts ?? [])].some(({host}) => host.app === app)
    while (!isHosted() && this.#options.mayHost(app)) await this.#looked.promise
    return isHosted()
  }

  /** The process of an instance hosts these types, and no others. */
  host(host: ActorHost, types: ReadonlyMap<string, TypeSettings>): void {
    const hosting = this.#hostings.get(host) ?? new Hosting(host)
    this.#hostings.set(host, hosting)
    hosting.types = types
    for (const type of this.#types.values()) if (!types.has(type.name)) type.hosts.delete(hosting)
    for (const name of types.keys()) this.#typeOf(name).hosts.add(hosting)
    this.look()
  }

  /** The process of an instance has ended, or is another one: its actors are gone without a word. */
  lost(host: ActorHost): void {
    const hosting = this.#hostings.get(host)
    if (hosting === undefined) return
    hosting.types = undefined
    hosting.isRetiring = false
    for (const actor of this.#at(hosting)) {
      // a turn that waits for the next process at the gateway keeps it: it writes its state from there
      if (actor.inside === undefined) actor.place = undefined
      else actor.isLost = true
      actor.freed?.()
      this.#settled(actor)
    }
  }

  /** The instance has left the run. */
  leave(host: ActorHost): void {
    this.timers.leave(host.instance)
    this.lost(host)
    const hosting = this.#hostings.get(host)
    this.#hostings.delete(host)
    if (hosting !== undefined) for (const type of this.#types.values()) type.hosts.delete(hosting)
    this.look()
  }

  /** Hosts have changed, or their states: who waits may go on. */
  look(): void {
    this.#looked.resolve()
    this.#looked = Promise.withResolvers()
    for (const {actors} of this.#types.values())
      for (const actor of actors.values()) if (actor.waiting !== undefined) this.#pump(actor)
  }

  /** The same when an instance ends for good within `graceMs`: turns under way have no longer than its process has said. */
  async end(instance: string, graceMs: number, now: AbortSignal): Promise<void> {
    const settings = this.#hostingsAt(instance).flatMap(({types}) => [...(types?.values() ?? [])])
    if (settings.length === 0) return
    const late = AbortSignal.timeout(Math.min(graceMs, Math.max(...settings.map(({drainMs}) => drainMs))))
    await this.retire(instance, AbortSignal.any([now, AbortSignal.timeout(graceMs)]), late)
  }

  /**
   * Begins no turns at an instance, and lets its actors go once they have ended theirs; false if the signal is aborted before. `late`:
   * aborted when turns under way are not waited for any more.
   */
  async retire(instance: string, signal: AbortSignal, late?: AbortSignal): Promise<boolean> {
    const hostings = this.#hostingsAt(instance)
    for (const hosting of hostings) hosting.isRetiring = true
    return letGo({
      all: () => hostings.flatMap(hosting => this.#at(hosting)),
      letGo: async actor => this.#letGo(actor, signal),
      drains: ({place, type}) => place?.types?.get(type.name)?.drains !== false,
      signal,
      late
    })
  }

  /** Turns begin there again. */
  resume(instance: string): void {
    for (const hosting of this.#hostingsAt(instance)) hosting.isRetiring = false
    this.look()
  }

  /** One call, in its turn. Rejects with an ActorError if it does not come to that. */
  readonly run = (request: ActorRequest, options: TurnOptions = {}): Promise<ActorAnswer> =>
    new Promise((resolve, reject) => {
      const settle = (outcome: ActorAnswer | ActorError): void =>
        outcome instanceof ActorError ? reject(outcome) : resolve(outcome)
      this.#enter(turnOf(request, options, this.#options.clock.now(), settle))
    })

  close(): void {
    this.#isClosed = true
    this.#agenda.close()
    for (const {actors} of this.#types.values())
      for (const actor of actors.values()) {
        actor.holding?.()
        for (const turn of actor.waiting ?? NOTHING) turn.settle(new ActorError('gone', 'the run has ended'))
      }
  }

  #enter(turn: ActorTurn): void {
    const {type: name, id, onStop, reentrancyId} = turn.request
    const type = this.#typeOf(name)
    let actor = type.actors.get(id)
    if (actor === undefined) type.actors.set(id, (actor = new Actor(type, id)))
    const entered = actor
    onStop(() => this.#gone(entered, turn))
    if (turn.isOver) return this.#settled(actor)
    if (reentrancyId !== '' && actor.chain === reentrancyId && actor.inside !== undefined) this.#reenter(actor, turn)
    else {
      const waiting = (actor.waiting ??= [])
      if (waiting.length >= MAX_WAITING)
        return turn.settle(new ActorError('full', `${MAX_WAITING} calls wait for ${name}/${id} already`))
      waiting.push(turn)
      this.#pump(actor)
    }
  }

  #reenter(actor: Actor, turn: ActorTurn): void {
    const depth = actor.inside?.length ?? 0
    if (depth >= (this.#settingsOf(actor)?.maxDepth ?? Infinity))
      return turn.settle(new ActorError('depth', 'maximum stack depth exceeded'))
    this.#begin(actor, turn)
  }

  /** Whoever is next has the turn, if it is free and the actor has a place. */
  #pump(actor: Actor): void {
    while (actor.inside === undefined && !actor.isLeaving && actor.waiting !== undefined) {
      const turn = actor.waiting[0]
      if (turn === undefined) break
      if (turn.isWanted?.() === false) {
        this.#drop(actor, each => (each === turn ? new ActorError('gone', 'it is not wanted any more') : undefined))
        continue
      }
      const place = placeFor(actor, turn.request, this.#options.mayHost)
      if (place === 'held') return this.#hold(actor)
      if (place === 'unhosted') {
        const why = new ActorError('unhosted', `${actor.type.name}/${actor.id}`)
        this.#drop(actor, each => (each.isPatient ? undefined : why))
        if (actor.waiting === undefined) break
        return
      }
      this.#unhold(actor)
      if (actor.waiting.length === 1) actor.waiting = undefined
      else actor.waiting.shift()
      actor.place = place
      this.#begin(actor, turn)
    }
    if (actor.inside === undefined && actor.waiting === undefined) this.#settled(actor)
  }

  #begin(actor: Actor, turn: ActorTurn): void {
    const {request, since, begun} = turn
    const {place} = actor
    if (place === undefined) return
    const isReentrant = this.#settingsOf(actor)?.isReentrant === true
    if (actor.inside === undefined) {
      actor.inside = [turn]
      actor.chain = isReentrant ? request.reentrancyId || randomUUID() : ''
    } else actor.inside.push(turn)
    turn.beganAt = this.#options.clock.now()
    begun?.(since <= actor.heldUntil)
    const sent = {...request, reentrancyId: actor.chain, onStop: (stop: () => void) => void (turn.stop = stop)}
    void this.#work(actor, turn, place.host.send(sent, place.isRetiring))
  }

  async #work(actor: Actor, turn: ActorTurn, answer: Promise<ActorAnswer>): Promise<void> {
    const instance = actor.place?.host.instance
    const outcome = await answer
    countFiring(this.#options.counted, instance, turn.request, outcome)
    turn.settle(outcome)
    const {inside = []} = actor
    if (inside.length > 1) return void inside.splice(inside.indexOf(turn), 1)
    actor.inside = undefined
    actor.chain = ''
    if (actor.isLost) actor.place = undefined
    actor.isLost = false
    actor.idleSince = this.#options.clock.now()
    actor.freed?.()
    if (actor.waiting === undefined) this.#settled(actor)
    else this.#pump(actor)
  }

  /** Nobody waits for the answer of a call any more. */
  #gone(actor: Actor, turn: ActorTurn): void {
    if (turn.isOver) return
    turn.settle(new ActorError('gone', 'the caller disconnected'))
    if (turn.stop !== undefined) return turn.stop()
    this.#drop(actor, each => (each === turn ? new ActorError('gone', '') : undefined))
    if (actor.inside === undefined) this.#settled(actor)
  }

  /** Removes those from its queue for whom there is a reason. */
  #drop(actor: Actor, why: (turn: ActorTurn) => ActorError | undefined): void {
    const left = actor.waiting?.filter(turn => {
      const reason = why(turn)
      if (reason !== undefined) turn.settle(reason)
      return reason === undefined
    })
    actor.waiting = left === undefined || left.length === 0 ? undefined : left
    if (actor.waiting === undefined) this.#unhold(actor)
  }

  /** Those who wait for a host do so for a limited time. */
  #hold(actor: Actor): void {
    if (actor.isHeld) return void (actor.holding ?? this.#limit(actor, this.#holdMs(actor)))
    actor.isHeld = true
    const {clock} = this.#options
    actor.heldSince = clock.now()
    this.#limit(actor, this.#holdMs(actor))
  }

  #limit(actor: Actor, ms: number): void {
    if (ms === Infinity || actor.waiting?.every(({isPatient}) => isPatient) !== false) return
    const {clock} = this.#options
    actor.holding = clock.after(ms, () => {
      actor.holding = undefined
      const limit = this.#holdMs(actor)
      const now = clock.now()
      const leftMs = ({since}: ActorTurn): number => Math.max(since, actor.heldSince) + limit - now
      this.#drop(actor, each => (each.isPatient || leftMs(each) > 0 ? undefined : this.#late(actor, limit)))
      if (actor.waiting === undefined) this.#settled(actor)
      else this.#limit(actor, Math.min(...actor.waiting.map(leftMs)))
    })
  }

  #late({type, id, place}: Actor, ms: number): ActorError {
    const reasons = [place, ...type.hosts].map(each => each?.host.reason ?? '').filter(reason => reason !== '')
    const why = reasons[0] ?? `no app has told yet that it hosts ${type.name}`
    return new ActorError('late', `${type.name}/${id}: waited ${Math.round(ms / 1000)} s; ${why}`)
  }

  #holdMs({type}: Actor): number {
    const hosts = type.hosts.size > 0 ? [...type.hosts] : [...this.#hostings.values()]
    return hosts.length === 0 ? 60_000 : Math.max(...hosts.map(({host}) => host.holdMs))
  }

  #unhold(actor: Actor): void {
    if (!actor.isHeld) return
    actor.isHeld = false
    actor.heldUntil = this.#options.clock.now()
    actor.holding?.()
    actor.holding = undefined
  }

  /** Nobody is inside: it is let go later, or forgotten now. */
  #settled(actor: Actor): void {
    const {place, waiting, inside, type, id, isLeaving} = actor
    if (waiting !== undefined) {
      if (inside === undefined) this.#pump(actor)
      return
    }
    if (inside !== undefined || isLeaving || this.#isClosed) return
    if (place === undefined) {
      type.actors.delete(id)
      if (type.actors.size === 0 && type.hosts.size === 0) this.#types.delete(type.name)
      return
    }
    if (actor.isPlanned) return
    actor.isPlanned = true
    actor.at = actor.idleSince + this.#idleMs(actor)
    this.#agenda.add(actor)
  }

  /** Its time is over, unless it has had a turn since. */
  #idle(actor: Actor): void {
    if (actor.place === undefined || actor.inside !== undefined || actor.isLeaving) return
    const at = actor.idleSince + this.#idleMs(actor)
    if (at > this.#options.clock.now() || actor.waiting !== undefined) return this.#settled(actor)
    void this.#letGo(actor, undefined)
  }

  async #letGo(actor: Actor, signal: AbortSignal | undefined): Promise<void> {
    const {place, type, id} = actor
    if (place === undefined) return
    actor.isLeaving = true
    const isSuccess = await place.host.deactivate(type.name, id, signal)
    this.#options.counted?.(place.host.instance, {type: 'deactivated', actor: type.name, isSuccess})
    actor.isLeaving = false
    if (actor.place === place) actor.place = undefined
    actor.freed?.()
    this.#settled(actor)
  }

  #idleMs(actor: Actor): number {
    return this.#settingsOf(actor)?.idleMs ?? 0
  }

  #settingsOf({place, type}: Actor): TypeSettings | undefined {
    return place?.types?.get(type.name)
  }

  #hostingsAt(instance: string): readonly Hosting[] {
    return [...this.#hostings.values()].filter(({host}) => host.instance === instance)
  }

  #at(hosting: Hosting): readonly Actor[] {
    return [...this.#types.values()].flatMap(({actors}) => [...actors.values()].filter(each => each.place === hosting))
  }

  #typeOf(name: string): ActorType {
    const known = this.#types.get(name)
    if (known !== undefined) return known
    const type: ActorType = {name, hosts: new Set(), actors: new Map(), idle: actor => this.#idle(actor)}
    this.#types.set(name, type)
    return type
  }
}
