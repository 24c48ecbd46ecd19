import type {Clock} from '../../platform/clock.ts'
import type {Actor, ActorTurn} from './actor.ts'
import {ActorError} from './actor-host.ts'
import type {ActorTable} from './actor-table.ts'

/** How long a call waits while no host is known, in ms. */
const HOLD_MS = 60_000

/** Rejects the queued calls of an actor for which `why` returns an error. */
type Drop = (actor: Actor, why: (turn: ActorTurn) => ActorError | undefined) => void

interface Hold {
  readonly since: number
  stop: (() => void) | undefined
}

/** The actors whose calls wait for a host. Rejects calls that have waited too long. */
export class Holds {
  readonly #clock: Clock
  readonly #table: ActorTable
  readonly #drop: Drop
  readonly #held = new Map<Actor, Hold>()

  constructor(clock: Clock, table: ActorTable, drop: Drop) {
    this.#clock = clock
    this.#table = table
    this.#drop = drop
  }

  get held(): readonly Actor[] {
    return [...this.#held.keys()]
  }

  /** Begins the wait of an actor, unless it waits already. */
  begin(actor: Actor): void {
    let hold = this.#held.get(actor)
    if (hold === undefined) this.#held.set(actor, (hold = {since: this.#clock.now(), stop: undefined}))
    if (hold.stop === undefined) this.#limit(actor, hold, this.#holdMs(actor))
  }

  end(actor: Actor): void {
    const hold = this.#held.get(actor)
    if (hold === undefined) return
    this.#held.delete(actor)
    actor.heldUntil = this.#clock.now()
    hold.stop?.()
  }

  #limit(actor: Actor, hold: Hold, ms: number): void {
    if (ms === Infinity || impatientOf(actor).length === 0) return
    hold.stop = this.#clock.after(ms, () => {
      hold.stop = undefined
      const limit = this.#holdMs(actor)
      const now = this.#clock.now()
      const leftMs = ({since}: ActorTurn): number => Math.max(since, hold.since) + limit - now
      this.#drop(actor, each => (each.isPatient || leftMs(each) > 0 ? undefined : lateError(actor, limit)))
      this.#limit(actor, hold, Math.min(...impatientOf(actor).map(leftMs)))
    })
  }

  #holdMs({type}: Actor): number {
    const hosts = type.hosts.size > 0 ? [...type.hosts] : this.#table.hostings
    return hosts.length === 0 ? HOLD_MS : Math.max(...hosts.map(({host}) => host.holdMs))
  }
}

/** Returns the calls whose wait is limited. Firings wait without a limit. */
const impatientOf = ({waiting = []}: Actor): readonly ActorTurn[] => waiting.filter(({isPatient}) => !isPatient)

function lateError({type, id, place}: Actor, ms: number): ActorError {
  const reasons = [place, ...type.hosts].map(each => each?.host.reason ?? '').filter(reason => reason !== '')
  const why = reasons[0] ?? `no app is known yet to host ${type.name}`
  return new ActorError('late', `${type.name}/${id}: waited ${Math.round(ms / 1000)} s; ${why}`)
}
