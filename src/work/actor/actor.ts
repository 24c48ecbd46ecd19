import type {CallJournal} from '../../proxy/net/call-journal.ts'
import type {ActorAnswer, ActorRequest} from './actor-host.ts'
import {ActorError} from './actor-error.ts'
import type {Due} from './agenda.ts'
import type {Hosting} from './hosting.ts'

/** A type of actors, hosted or not. */
export interface ActorType {
  readonly name: string
  readonly hosts: Set<Hosting>
  readonly actors: Map<string, Actor>
  /** Looks whether an actor is to be let go. */
  readonly idle: (actor: Actor) => void
}

/** What a call may ask for. */
export interface TurnOptions {
  /** It waits for a host as long as it takes. */
  readonly isPatient?: boolean
  /** Asked before its turn begins: one that is not wanted any more is left out. */
  readonly isWanted?: () => boolean
  /** Called when its turn begins; `wasHeld`: it has waited for a host. */
  readonly onBegin?: (wasHeld: boolean) => void
}

/** A call that waits for its turn, or has it. Times by the clock's `now`. */
export class ActorTurn {
  readonly request: ActorRequest
  readonly since: number
  readonly options: TurnOptions
  readonly #settle: (outcome: ActorAnswer | ActorError) => void
  /** Undefined: none is kept, or it is not known yet who hosts the type. */
  journal: CallJournal | undefined
  /** -1: it waits. */
  beganAt = -1
  /** How it waits for itself, once that is known; '' = it does not. */
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
  journal.failure = refusal === 'unhosted' ? `did not find address for actor '${message}'` : message
  journal.ended()
}

/** One actor: where it lives, and who has its turn. */
export class Actor implements Due {
  readonly type: ActorType
  readonly id: string
  /** Undefined: nowhere, it is not active. */
  place: Hosting | undefined
  /** Its process has ended during a turn, which may go on in the next one: its place is open afterwards. */
  isLost = false
  /** The calls that have the turn: several only if they are one chain. */
  inside: ActorTurn[] | undefined
  waiting: ActorTurn[] | undefined
  /** What the calls inside are known by; '' = nothing. */
  chain = ''
  isLeaving = false
  idleSince = 0
  isPlanned = false
  at = 0
  /** When a wait for a host was last over. */
  heldUntil = -1
  freed: (() => void) | undefined

  constructor(type: ActorType, id: string) {
    this.type = type
    this.id = id
  }

  /** So long after its last turn it is let go. */
  fire(): void {
    this.isPlanned = false
    this.type.idle(this)
  }
}
