import {traceIdOf} from '../../model/traceparent.ts'
import type {Actor, ActorTurn} from './actor.ts'
import type {ActorTable} from './actor-table.ts'
import type {Agenda, Due} from './agenda.ts'

/** How long a call waits for its turn before it is checked for a deadlock, in ms. */
const SUSPECT_MS = 2000

interface SelfWaitsOptions {
  readonly table: ActorTable
  readonly agenda: Agenda
  readonly now: () => number
  readonly onDeadlock: (actor: Actor, text: string) => void
}

interface Inside {
  readonly actor: Actor
  readonly turn: ActorTurn
}

/**
 * Finds deadlocks: turns that wait for themselves, possibly through other actors, until a caller gives up. The trace id of a waiting call
 * names the turn that made it. Without a trace, that turn is known only if a process has a single turn.
 */
export class SelfWaits implements Due {
  at = 0
  readonly isOver = false
  readonly #options: SelfWaitsOptions
  /** Actors with a running turn and waiting calls. */
  readonly #suspects = new Set<Actor>()
  #isPlanned = false

  constructor(options: SelfWaitsOptions) {
    this.#options = options
  }

  onWait(actor: Actor): void {
    this.#suspects.add(actor)
    if (!this.#isPlanned) this.#plan()
  }

  /** Called by the agenda: examines the calls that have waited for too long. */
  fire(): void {
    this.#isPlanned = false
    const before = this.#options.now() - SUSPECT_MS
    const late: {readonly inside: Inside; readonly waits: readonly ActorTurn[]}[] = []
    for (const actor of this.#suspects) {
      const turn = actor.inside?.[0]
      if (turn === undefined || actor.waiting === undefined) this.#suspects.delete(actor)
      else if (turn.beganAt <= before && turn.circle === '') {
        const waits = actor.waiting.filter(({since}) => since <= before && since >= turn.beganAt)
        if (waits.length > 0) late.push({inside: {actor, turn}, waits})
      }
    }
    if (late.length > 0) this.#report(late)
    if (this.#suspects.size > 0) this.#plan()
  }

  #plan(): void {
    this.#isPlanned = true
    this.at = this.#options.now() + SUSPECT_MS
    this.#options.agenda.add(this)
  }

  #report(late: readonly {readonly inside: Inside; readonly waits: readonly ActorTurn[]}[]): void {
    const all = this.#runningTurns()
    for (const {inside, waits} of late)
      for (const waiting of waits) {
        const path = pathBetween(inside, waiting, all)
        if (path === undefined) continue
        inside.turn.circle = textOf(path, waiting)
        this.#options.onDeadlock(inside.actor, inside.turn.circle)
        break
      }
  }

  #runningTurns(): readonly Inside[] {
    const all: Inside[] = []
    for (const {actors} of this.#options.table.known)
      for (const actor of actors.values()) for (const turn of actor.inside ?? []) all.push({actor, turn})
    return all.toSorted((a, b) => a.turn.beganAt - b.turn.beganAt)
  }
}

interface CallPath {
  readonly turns: readonly Inside[]
  /** Whether the trace proves every step of the path. */
  readonly isSure: boolean
}

/** Finds the path from a turn to a call that waits for it, by following the callers back; undefined: unknown. */
function pathBetween(first: Inside, waiting: ActorTurn, all: readonly Inside[]): CallPath | undefined {
  const trace = traceOf(waiting)
  const turns: Inside[] = []
  let isSure = true
  for (let {caller} = waiting.request; caller !== undefined && turns.length < all.length;) {
    const {instance} = caller
    const there = all.filter(each => each.actor.place?.host.instance === instance && !turns.includes(each))
    const traced = trace === '' ? [] : there.filter(({turn}) => traceOf(turn) === trace)
    const next =
      traced.find(({turn}) => turn === first.turn) ?? traced.at(-1) ?? (there.length === 1 ? there[0] : undefined)
    if (next === undefined) return undefined
    isSure &&= traced.includes(next)
    turns.unshift(next)
    if (next.turn === first.turn) return {turns, isSure}
    ;({caller} = next.turn.request)
  }
  return undefined
}

/** Returns the trace id of a call (W3C Trace Context); '': none. */
function traceOf({request: {work}}: ActorTurn): string {
  if (work.kind !== 'method') return ''
  return traceIdOf(/^traceparent:[ \t]*(\S+)/im.exec(work.lines)?.[1])
}

const stepOf = ({actor: {type, id}, turn: {request}}: Inside): string => {
  const {work} = request
  return `${type.name}/${id}.${work.kind === 'method' ? work.method : `${work.kind} ${work.name}`}`
}

function textOf({turns: [first, ...more], isSure}: CallPath, waiting: ActorTurn): string {
  if (first === undefined) return ''
  const {type, id} = first.actor
  const steps = [first, ...more, {actor: first.actor, turn: waiting}].map(stepOf).join(' → ')
  const waits = isSure ? 'waits' : 'seems to wait'
  return `${type.name}/${id} ${waits} for itself: ${steps}; enable reentrancy for ${type.name}, or do not await the call`
}
