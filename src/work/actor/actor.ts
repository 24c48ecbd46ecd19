import type {CallJournal} from '../../proxy/net/call-journal.ts'
import {type ActorAnswer, type ActorRequest, ActorError, type ActorHost, type TypeSettings} from './actor-host.ts'
import type {Due} from './agenda.ts'

/** An instance of an app, and the types of actors that it hosts. */
export class Hosting {
  readonly host: ActorHost
  /** Types that its process hosts; undefined: not reported yet. */
  types: ReadonlyMap<string, TypeSettings> | undefined
  /** Signals of the retirements under way, which deactivate its actors. Meanwhile no turn begins. */
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

/** Hashes a text by FNV-1a, with a final mix, so that similar texts get very different numbers. */
function hashOf(text: string): number {
  let hash = 0x81_1c_9d_c5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Chooses the host of an actor: always the same one of the same hosts (rendezvous hashing, Thaler and Ravishankar 1998). */
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
  /** Deactivates an actor if its idle time is over. */
  readonly idle: (actor: Actor) => void
}

/** Options of a call to an actor. */
export interface TurnOptions {
  /** Whether the call waits for a host without a limit, as firings do. */
  readonly isPatient?: boolean
  /** Whether the caller tries another run if no app of this run hosts the type. Then the call is not recorded here as failed. */
  readonly goesElsewhere?: boolean
  /** Called before the turn begins; false: the call is dropped. */
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
  /** Record of the call; undefined: not recorded, or not yet, since no app hosts the type. */
  journal: CallJournal | undefined
  /** When the turn began; -1: the call waits. */
  beganAt = -1
  /** Describes how the turn waits for itself, for example through another actor; '': no deadlock was found. */
  circle = ''
  /** Cancels the call at its host; undefined: it was not sent. */
  stop: (() => void) | undefined
  /** Whether the caller has its answer or has left. */
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

/** An actor that is active or has waiting calls: its host, its running calls and its queue. */
export class Actor implements Due {
  readonly type: ActorType
  readonly id: string
  /** Host of the actor; undefined: not active. */
  place: Hosting | undefined
  /** Whether its process has ended during a turn. After the turn, any host may get the actor. */
  isLost = false
  /** The running calls: several if they are reentrant; undefined: none. */
  inside: ActorTurn[] | undefined
  /** The queued calls; undefined: none. */
  waiting: ActorTurn[] | undefined
  /** Reentrancy id of the running calls; '': none. */
  chain = ''
  /** Whether its deactivation is under way. */
  isLeaving = false
  idleSince = 0
  /** Whether the agenda has its deactivation, due at `at`. */
  isPlanned = false
  at = 0
  /** When the actor last stopped waiting for a host. */
  heldUntil = -1
  /** Listeners of a retirement, called after its turn and its deactivation. */
  freed: Set<() => void> | undefined

  constructor(type: ActorType, id: string) {
    this.type = type
    this.id = id
  }

  /** Whether the table has forgotten this actor: the next call with its id creates another one. */
  get isOver(): boolean {
    return this.type.actors.get(this.id) !== this
  }

  /** Called by the agenda when the idle time may be over. */
  fire(): void {
    this.isPlanned = false
    this.type.idle(this)
  }
}
