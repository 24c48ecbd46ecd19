import type {CallJournal} from '../../proxy/net/call-journal.ts'
import {type ActorAnswer, type ActorRequest, ActorError, type ActorHost, type TypeSettings} from './actor-host.ts'
import type {Due} from './agenda.ts'

/** An instance of an app and the types that it hosts. */
export class Hosting {
  readonly host: ActorHost
  /** Types that its process hosts; undefined before they are known. */
  types: ReadonlyMap<string, TypeSettings> | undefined
  /** The signals of retirements that deactivate its actors. No turn begins during one. */
  readonly retirements = new Set<AbortSignal>()

  constructor(host: ActorHost) {
    this.host = host
  }

  get isRetiring(): boolean {
    return this.retirements.size > 0
  }

  get isOpen(): boolean {
    return this.types !== undefined && !this.isRetiring && this.host.state === 'open'
  }
}

/** FNV-1a (draft-eastlake-fnv) with a final mix, so that similar names get very different numbers. */
function hashOf(text: string): number {
  let hash = 0x81_1c_9d_c5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Chooses the host of an id: the same one while these hosts exist (rendezvous hashing, Thaler and Ravishankar 1998). */
export function placeAmong(hosts: readonly Hosting[], type: string, id: string): Hosting | undefined {
  if (hosts.length < 2) return hosts[0]
  const weight = ({host}: Hosting): number => hashOf(`${host.instance}\0${type}\0${id}`)
  return hosts.reduce((best, each) => (weight(each) > weight(best) ? each : best))
}

/** A type of actors, hosted or not. */
export interface ActorType {
  readonly name: string
  readonly hosts: Set<Hosting>
  readonly actors: Map<string, Actor>
  /** Called when the idle time of an actor may be over: deactivates the actor if it is. */
  readonly idle: (actor: Actor) => void
}

/** Options of a call. */
export interface TurnOptions {
  /** The call waits for a host without a limit. */
  readonly isPatient?: boolean
  /** Keeps the call from being recorded as failed if no app of this run hosts the type. Another run may host it. */
  readonly goesElsewhere?: boolean
  /** Asked before the turn begins: false drops the call. */
  readonly isWanted?: () => boolean
  /** Called when the turn begins; `wasHeld`: the call has waited for a host. */
  readonly onBegin?: (wasHeld: boolean) => void
}

/** A call that waits for its turn, or has it. Times are those of the clock's `now`. */
export class ActorTurn {
  readonly request: ActorRequest
  readonly since: number
  readonly options: TurnOptions
  readonly #settle: (outcome: ActorAnswer | ActorError) => void
  /** Record of the call. Undefined if it is not recorded, or while the type's host is unknown. */
  journal: CallJournal | undefined
  /** When the turn began; -1: the call waits. */
  beganAt = -1
  /** Describes how the turn waits for itself, once known; '': it does not. */
  circle = ''
  stop: (() => void) | undefined
  isOver = false

  constructor(
    request: ActorRequest,
    options: TurnOptions,
    since: number,
    settle: (outcome: ActorAnswer | ActorError) => void
  ) {
    this.request = request
    this.options = options
    this.since = since
    this.#settle = settle
  }

  get isPatient(): boolean {
    return this.options.isPatient === true
  }

  settle(outcome: ActorAnswer | ActorError): void {
    if (this.isOver) return
    this.isOver = true
    if (outcome instanceof ActorError && this.beganAt < 0) refused(this, outcome)
    this.#settle(outcome)
  }
}

function refused({journal}: ActorTurn, {message, refusal}: ActorError): void {
  if (journal === undefined) return
  journal.status = refusal === 'gone' ? 0 : 500
  journal.failure = message
  journal.ended()
}

/** An actor: its host, and the calls that have its turn. */
export class Actor implements Due {
  readonly type: ActorType
  readonly id: string
  /** Host of the actor; undefined: not active. */
  place: Hosting | undefined
  /** Whether its process has ended during a turn that the next process may continue. Afterwards any host may get the actor. */
  isLost = false
  /** The calls that have the turn: several only if they are one chain of reentrant calls. */
  inside: ActorTurn[] | undefined
  waiting: ActorTurn[] | undefined
  /** Reentrancy id of the calls inside; '': none. */
  chain = ''
  isLeaving = false
  idleSince = 0
  isPlanned = false
  at = 0
  /** When the actor last stopped waiting for a host. */
  heldUntil = -1
  /** Called when its turn is over, or it was deactivated, for waiting reloads and health checks. */
  freed: Set<() => void> | undefined

  constructor(type: ActorType, id: string) {
    this.type = type
    this.id = id
  }

  /** Whether the table has forgotten this actor. The next call makes another. */
  get isOver(): boolean {
    return this.type.actors.get(this.id) !== this
  }

  /** Called by the agenda when the idle time may be over. */
  fire(): void {
    this.isPlanned = false
    this.type.idle(this)
  }
}
