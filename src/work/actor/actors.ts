import {randomUUID} from 'node:crypto'
import type {Clock} from '../../platform/clock.ts'
import {within} from '../../platform/delay.ts'
import type {ActorEvent} from '../../model/work-event.ts'
import type {CallJournal} from '../../proxy/net/call-journal.ts'
import {Actor, ActorTurn, type TurnOptions, placeAmong, type Hosting} from './actor.ts'
import {ActorError} from './actor-host.ts'
import type {ActorAnswer, ActorHost, ActorRequest, TypeSettings} from './actor-host.ts'
import {ActorTable} from './actor-table.ts'
import {Agenda} from './agenda.ts'
import {Holds} from './holds.ts'
import {letGo} from './let-go.ts'
import {SelfWaits} from './self-waits.ts'
import {Timers} from './timers.ts'
import {NextChange} from '../../model/next-change.ts'

interface ActorsOptions {
  readonly clock: Clock
  /** Whether an instance may still report that it hosts this type: its process starts, or sleeps. Without `app`: an instance of any app. */
  readonly mayHost: (type: string, app?: string) => boolean
  /** How long a call still waits until processes that have just started report their types, in ms; 0 or less: it does not wait. */
  readonly hostWaitMs?: () => number
  /** Called when a call waits for a host of this type: starts sleeping apps. `isKnown`: an app hosts the type. */
  readonly needsHost?: (type: string, isKnown: boolean) => void
  readonly onTypes?: (app: string, types: readonly string[]) => void
  readonly counted?: (instance: string, event: ActorEvent) => void
  /** Called once for each turn that waits for itself. */
  readonly onDeadlock?: (actor: Actor, text: string) => void
  /** Creates the record of a call or firing. `app`: the app that hosts the type, else the type's name. Omitted: calls are not recorded. */
  readonly journalOf?: (request: ActorRequest, app: string) => CallJournal
}

const MAX_WAITING = 10_000

const NOTHING: readonly ActorTurn[] = []

/** The actors of a run (Dapr: pkg/actors). Queues the calls of each actor, and sends one at a time to its host, an instance of an app. */
export class Actors {
  readonly #options: ActorsOptions
  readonly timers: Timers
  readonly #agenda: Agenda
  readonly table = new ActorTable(actor => this.#idle(actor))
  readonly #holds: Holds
  readonly #selfWaits: SelfWaits
  /** Resolves at the next change of hosts or their states. */
  readonly #hostChange = new NextChange()
  #isClosed = false

  constructor(options: ActorsOptions) {
    this.#options = options
    this.#agenda = new Agenda(options.clock)
    this.#holds = new Holds(options.clock, this.table, (actor, why) => {
      this.#drop(actor, why)
      if (actor.waiting === undefined) this.#settled(actor)
    })
    this.#selfWaits = new SelfWaits({
      table: this.table,
      agenda: this.#agenda,
      now: () => options.clock.now(),
      onDeadlock: (actor, text) => options.onDeadlock?.(actor, text)
    })
    this.timers = new Timers({clock: options.clock, agenda: this.#agenda, run: this.run})
  }

  get now(): number {
    return this.#options.clock.now()
  }

  /** Whether an app of the run hosts the type, or may still report that it does. */
  mayBeHosted(type: string): boolean {
    return this.table.isHosted(type) || this.#options.mayHost(type)
  }

  /** Resolves with whether an instance of this app hosts the type, once that is known. */
  async isHostedBy(app: string, type: string): Promise<boolean> {
    const {mayHost, needsHost} = this.#options
    for (; !this.table.isHostedBy(app, type) && mayHost(type, app); await this.#hostChange.promise)
      needsHost?.(type, false)
    return this.table.isHostedBy(app, type)
  }

  /** Resolves once an app hosts the type, running processes have had enough time to report it, or the caller has disconnected. */
  async hosted({type, onStop}: ActorRequest): Promise<void> {
    const {hostWaitMs: waitMs = () => 0} = this.#options
    const [until, gone] = [this.now + waitMs(), new Promise<true>(resolve => onStop(() => resolve(true)))]
    for (let ms = waitMs(); ms > 0 && !this.table.isHosted(type); ms = Math.min(waitMs(), until - this.now))
      if ((await within(ms, Promise.race([this.#hostChange.promise, gone]))) === true) return
  }

  /** Replaces the types that the process of an instance hosts. */
  host(host: ActorHost, types: ReadonlyMap<string, TypeSettings>): void {
    this.table.set(host, types)
    this.#options.onTypes?.(host.app, [...types.keys()])
    this.look()
  }

  /** Drops the actors of a process that has ended or was replaced, without deactivating them. `only`: just actors of these types. */
  lost(host: ActorHost, only?: ReadonlySet<string>): void {
    const hosting = this.table.hostings.find(each => each.host === host)
    if (hosting === undefined) return
    if (only === undefined) {
      hosting.types = undefined
      hosting.retirements.clear()
    }
    for (const actor of this.table.actorsAt(hosting)) {
      if (only?.has(actor.type.name) === false) continue
      // the gateway may send a running call to the next process: until its end the actor stays at this instance
      if (actor.inside === undefined) actor.place = undefined
      else actor.isLost = true
      actor.freed?.forEach(tell => tell())
      this.#settled(actor)
    }
  }

  leave(host: ActorHost): void {
    this.timers.leave(host.instance)
    this.lost(host)
    this.table.delete(host)
    this.look()
  }

  /** Starts waiting turns that can begin now. Called when hosts or their states have changed. */
  look(): void {
    this.#hostChange.happened()
    const types = new Set<Actor['type']>()
    for (const actor of this.#holds.held) {
      if (this.#mayContinue(actor)) this.#pump(actor)
      else types.add(actor.type)
    }
    // a host that has fallen asleep meanwhile must wake
    for (const {name, hosts} of types) this.#options.needsHost?.(name, hosts.size > 0)
  }

  /** Whether a held actor may send or reject a call now. Cheap for thousands of due reminders, which wait for a host without a limit. */
  #mayContinue(actor: Actor): boolean {
    const [turn, ...others] = actor.waiting ?? NOTHING
    if (turn === undefined || [turn, ...others].some(({isPatient}) => !isPatient)) return true
    return typeof placeFor(actor, turn.request, this.#options.mayHost) !== 'string'
  }

  /** Returns the largest `drainOngoingCallTimeout` that an instance has reported, in ms; 0: it hosts no type. */
  drainMs(instance: string): number {
    const settings = this.table.hostingsAt(instance).flatMap(({types}) => [...(types?.values() ?? [])])
    return Math.max(0, ...settings.map(({drainMs}) => drainMs))
  }

  /** Retires an instance that ends for good within `graceMs`. Running turns get at most `drainMs`. `now`: aborted to end the wait. */
  async end(instance: string, graceMs: number, now: AbortSignal): Promise<void> {
    if (this.table.hostingsAt(instance).length === 0) return
    // AbortSignal.timeout refuses fractions of a millisecond, which an app may report
    const late = AbortSignal.timeout(Math.ceil(Math.min(graceMs, this.drainMs(instance))))
    await this.retire(instance, AbortSignal.any([now, AbortSignal.timeout(graceMs)]), late)
  }

  /**
   * Begins no more turns at an instance, and deactivates its actors after their turns. Resolves with false if a signal is aborted first.
   * `signal`: ends the retirement at once. `late`: ends only the wait for running turns.
   */
  async retire(instance: string, signal: AbortSignal, late?: AbortSignal): Promise<boolean> {
    const hostings = this.table.hostingsAt(instance)
    for (const {retirements} of hostings) retirements.add(signal)
    const retiring = (): readonly Hosting[] => hostings.filter(({retirements}) => retirements.has(signal))
    return letGo({
      all: () => retiring().flatMap(hosting => this.table.actorsAt(hosting)),
      deactivate: async actor => this.#deactivate(actor, signal),
      drains: ({place, type}) => place?.types?.get(type.name)?.drains !== false,
      signal,
      late
    })
  }

  /** Ends all retirements of an instance, or the one with this signal. */
  resume(instance: string, signal?: AbortSignal): void {
    for (const {retirements} of this.table.hostingsAt(instance))
      if (signal === undefined) retirements.clear()
      else retirements.delete(signal)
    this.look()
  }

  /** Calls an actor in its turn. Rejects with an ActorError if the turn does not begin. */
  readonly run = (request: ActorRequest, options: TurnOptions = {}): Promise<ActorAnswer> =>
    new Promise((resolve, reject) => {
      const settle = (outcome: ActorAnswer | ActorError): void =>
        outcome instanceof ActorError ? reject(outcome) : resolve(outcome)
      this.#enter(new ActorTurn(request, options, this.#options.clock.now(), settle))
    })

  close(): void {
    this.#isClosed = true
    this.#agenda.close()
    for (const actor of this.#holds.held) this.#holds.end(actor)
    for (const {actors} of this.table.known)
      for (const actor of actors.values())
        for (const turn of actor.waiting ?? NOTHING) turn.settle(new ActorError('gone', 'the run has ended'))
  }

  /** Adds a call to the queue of its actor, or begins it at once if it is reentrant. */
  #enter(turn: ActorTurn): void {
    const {type: name, id, onStop, reentrancyId} = turn.request
    const type = this.table.typeOf(name)
    let actor = type.actors.get(id)
    if (actor === undefined) type.actors.set(id, (actor = new Actor(type, id)))
    const entered = actor
    onStop(() => this.#gone(entered, turn))
    if (turn.isOver) return this.#settled(actor)
    const hosting = actor.place ?? [...type.hosts][0]
    // a firing without a host may wait for days: its record begins with its turn
    if (hosting !== undefined && !turn.isPatient) this.#record(turn, hosting.host.app)
    if (reentrancyId !== '' && actor.chain === reentrancyId && actor.inside !== undefined) {
      if (actor.inside.length < (this.#settingsOf(actor)?.maxDepth ?? Infinity)) this.#begin(actor, turn)
      else turn.settle(new ActorError('depth', 'maximum stack depth exceeded'))
    } else {
      const waiting = (actor.waiting ??= [])
      if (waiting.length >= MAX_WAITING)
        return turn.settle(new ActorError('full', `${MAX_WAITING} calls wait for ${name}/${id} already`))
      waiting.push(turn)
      this.#pump(actor)
      if (turn.beganAt >= 0 || turn.isOver) return
      turn.journal?.held(waitsFor(actor))
      if (actor.inside !== undefined) this.#selfWaits.onWait(actor)
    }
  }

  #record(turn: ActorTurn, app: string): void {
    if (turn.journal !== undefined) return
    turn.journal = this.#options.journalOf?.(turn.request, app)
    turn.journal?.begun(turn.since)
  }

  /** Starts the next queued call if the actor is idle and has a host. */
  #pump(actor: Actor): void {
    while (actor.inside === undefined && !actor.isLeaving && actor.waiting !== undefined) {
      const turn = actor.waiting[0]
      if (turn === undefined) break
      if (turn.options.isWanted?.() === false) {
        this.#drop(actor, each => (each === turn ? new ActorError('gone', 'it is not wanted any more') : undefined))
        continue
      }
      const place = placeFor(actor, turn.request, this.#options.mayHost)
      if (place === 'held') {
        this.#options.needsHost?.(actor.type.name, actor.type.hosts.size > 0)
        return this.#holds.begin(actor)
      }
      if (place === 'unhosted') {
        const why = `did not find address for actor '${actor.type.name}/${actor.id}'`
        this.#drop(actor, each => (each.isPatient ? undefined : new ActorError('unhosted', why)))
        if (actor.waiting === undefined) break
        // a firing waits for a host without a limit
        return this.#holds.begin(actor)
      }
      this.#holds.end(actor)
      if (actor.waiting.length === 1) actor.waiting = undefined
      else actor.waiting.shift()
      actor.place = place
      this.#begin(actor, turn)
    }
    if (actor.inside === undefined && actor.waiting === undefined) this.#settled(actor)
  }

  #begin(actor: Actor, turn: ActorTurn): void {
    const {place} = actor
    if (place === undefined) return
    const isReentrant = this.#settingsOf(actor)?.isReentrant === true
    if (actor.inside === undefined) {
      actor.inside = [turn]
      actor.chain = isReentrant ? turn.request.reentrancyId || randomUUID() : ''
    } else actor.inside.push(turn)
    turn.beganAt = this.#options.clock.now()
    const wasHeld = turn.since <= actor.heldUntil
    turn.options.onBegin?.(wasHeld)
    const hasWaited = turn.journal === undefined && turn.beganAt - turn.since > 1
    this.#record(turn, place.host.app)
    if (hasWaited) turn.journal?.held(wasHeld ? hostOf(actor) : turnIn(actor))
    const {journal, request} = turn
    const sent = {...request, journal, reentrancyId: actor.chain, onStop: (stop: () => void) => void (turn.stop = stop)}
    void this.#endTurn(actor, turn, place.host.send(sent, place.isRetiring))
  }

  /** Waits for the answer of a turn, passes it to the caller, and continues with the queue. */
  async #endTurn(actor: Actor, turn: ActorTurn, answer: Promise<ActorAnswer>): Promise<void> {
    const instance = actor.place?.host.instance
    const outcome = await answer
    const {work, type: name} = turn.request
    // Dapr's metric counts only firings
    if (work.kind !== 'method' && instance !== undefined) {
      const isSuccess = outcome.kind === 'done' && !outcome.isError
      this.#options.counted?.(instance, {type: 'fired', kind: work.kind, actor: name, isSuccess})
    }
    turn.settle(outcome)
    const {inside = []} = actor
    if (inside.length > 1) return void inside.splice(inside.indexOf(turn), 1)
    actor.inside = undefined
    actor.chain = ''
    if (actor.isLost) actor.place = undefined
    actor.isLost = false
    actor.idleSince = this.#options.clock.now()
    actor.freed?.forEach(tell => tell())
    if (actor.waiting === undefined) this.#settled(actor)
    else this.#pump(actor)
  }

  /** Ends the call of a caller that has disconnected: stops it at its host, or removes it from the queue. */
  #gone(actor: Actor, turn: ActorTurn): void {
    if (turn.isOver) return
    turn.settle(new ActorError('gone', 'the caller disconnected'))
    if (turn.stop !== undefined) return turn.stop()
    this.#drop(actor, each => (each === turn ? new ActorError('gone', '') : undefined))
    if (actor.inside === undefined) this.#settled(actor)
  }

  /** Rejects the queued calls for which `why` returns an error. */
  #drop(actor: Actor, why: (turn: ActorTurn) => ActorError | undefined): void {
    const {type} = actor
    const left = actor.waiting?.filter(turn => {
      const reason = why(turn)
      if (reason === undefined) return true
      const isTentative = turn.options.goesElsewhere === true && reason.refusal === 'unhosted' && type.hosts.size === 0
      if (reason.refusal !== 'gone' && !isTentative) this.#record(turn, type.name)
      turn.settle(reason)
      return false
    })
    actor.waiting = left === undefined || left.length === 0 ? undefined : left
    if (actor.waiting === undefined) this.#holds.end(actor)
  }

  /** Plans the deactivation of an actor without calls, or forgets it if it has no host. */
  #settled(actor: Actor): void {
    const {place, waiting, inside, isLeaving} = actor
    if (waiting !== undefined) {
      if (inside === undefined) this.#pump(actor)
      return
    }
    if (inside !== undefined || isLeaving || this.#isClosed) return
    if (place === undefined) {
      this.table.forget(actor)
      if (actor.isPlanned) this.#agenda.ended()
      return
    }
    if (actor.isPlanned) return
    actor.isPlanned = true
    actor.at = actor.idleSince + this.#idleMs(actor)
    this.#agenda.add(actor)
  }

  /** Deactivates an actor whose idle time is over. */
  #idle(actor: Actor): void {
    if (actor.place === undefined || actor.inside !== undefined || actor.isLeaving) return
    const at = actor.idleSince + this.#idleMs(actor)
    if (at > this.#options.clock.now() || actor.waiting !== undefined) return this.#settled(actor)
    void this.#deactivate(actor, undefined)
  }

  async #deactivate(actor: Actor, signal: AbortSignal | undefined): Promise<void> {
    const {place, type, id} = actor
    if (place === undefined) return
    actor.isLeaving = true
    const isSuccess = await place.host.deactivate(type.name, id, signal)
    this.#options.counted?.(place.host.instance, {type: 'deactivated', actor: type.name, isSuccess})
    actor.isLeaving = false
    if (actor.place === place) actor.place = undefined
    actor.freed?.forEach(tell => tell())
    this.#settled(actor)
  }

  #idleMs(actor: Actor): number {
    return this.#settingsOf(actor)?.idleMs ?? 0
  }

  #settingsOf({place, type}: Actor): TypeSettings | undefined {
    return place?.types?.get(type.name)
  }
}

const turnIn = ({type, id}: Actor): string => `the turn of ${type.name}/${id}`

const hostOf = ({type, place}: Actor): string => place?.host.reason || `a host of ${type.name}`

/** Describes for the record of a call whether it waits for a host or for a turn. */
const waitsFor = (actor: Actor): string => (actor.inside === undefined ? hostOf(actor) : turnIn(actor))

/** Whether a retiring host calls its own actor during a turn, which may wait for the result: such a call may still begin. */
const isNested = ({isRetiring, host}: Hosting, {caller}: ActorRequest): boolean =>
  isRetiring && host.instance === caller?.instance && host.isBusy

/** Chooses the host of a call. `held`: the call has to wait for a host. `unhosted`: no instance hosts the type, or will. */
function placeFor(
  {place, type, id}: Actor,
  request: ActorRequest,
  mayHost: (type: string) => boolean
): Hosting | 'held' | 'unhosted' {
  if (place !== undefined) return place.isOpen || isNested(place, request) ? place : 'held'
  const hosts = [...type.hosts]
  const open = hosts.filter(each => each.isOpen)
  const found = placeAmong(open, type.name, id) ?? hosts.find(each => isNested(each, request))
  if (found !== undefined) return found
  return hosts.some(({host}) => host.state !== 'shut') || mayHost(type.name) ? 'held' : 'unhosted'
}
