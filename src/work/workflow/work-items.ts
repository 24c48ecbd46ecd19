import type {Clock} from '../../platform/clock.ts'
import {decode, encode} from '../../proxy/net/grpc/message-codec.ts'
import {nextOf, type Instance, type InboxEntry} from './instance.ts'
import {
  ACTIVITY_REQUEST,
  eventOf,
  eventsOf,
  msOf,
  readEvent,
  splitEvents,
  TEXT,
  NO_BYTES,
  patchesOf
} from './messages.ts'
import type {TurnStart} from './turn.ts'
import {STALLED, SUSPENDED} from './status.ts'
import type {WorkItem} from './workers.ts'
import type {OpenActivity} from './workflow-store.ts'

/** WorkItem, the message to a worker, with a turn or an activity. */
const WORK_ITEM = {
  workflowRequest: [1, 'bytes'],
  activityRequest: [2, 'bytes'],
  completionToken: [10, 'string']
} as const

/** WorkflowRequest without its field of past events: these are encoded already, and are put before the rest. */
const TURN_REQUEST = {
  instanceId: [1, 'string'],
  executionId: [2, {message: TEXT}],
  newEvents: [4, 'chunks'],
  propagatedHistory: [8, 'bytes']
} as const

/** An instance in memory, with its history, its inbox and its turn. */
export class LiveInstance {
  readonly instance: Instance
  readonly history: Uint8Array[]
  inbox: InboxEntry[]
  /** The turn that a worker has, or will get. */
  turn: TurnItem | undefined
  /** When its first turn was sent, by `performance.now()`; undefined: in an earlier run, or not yet. */
  began: number | undefined
  #clock: number | undefined
  /** The patches of the first `#patchedTurns` turns; Infinity: to be read again. */
  #patches: string[] = []
  #patchedTurns = 0
  /** The bytes of the first `#countedTurns` turns; Infinity: to be counted again. */
  #bytes = 0
  #countedTurns = 0
  /** The bytes of the first `#countedEntries` entries of `#countedInbox`. */
  #inboxBytes = 0
  #countedEntries = 0
  #countedInbox: readonly InboxEntry[] = []

  constructor(instance: Instance, history: Uint8Array[], inbox: InboxEntry[]) {
    this.instance = instance
    this.history = history
    this.inbox = inbox
  }

  /** Replaces the data in memory by those of the file. */
  reread(instance: Instance, readHistory: () => Uint8Array[], inbox: InboxEntry[]): void {
    const {turns, execution} = instance
    if (turns !== this.history.length || execution !== this.instance.execution) {
      this.history.length = 0
      for (const events of readHistory()) this.history.push(events)
      this.#patchedTurns = this.#countedTurns = Infinity
    }
    Object.assign(this.instance, instance)
    this.inbox = inbox
    this.#clock = undefined
  }

  /** Start of the latest turn by the clock of the workflow's code, which skipped timers advance; 0: no turn yet. */
  get clock(): number {
    if (this.#clock !== undefined) return this.#clock
    const [first] = splitEvents(this.history.at(-1) ?? NO_BYTES)
    const at = first && readEvent(first).timestamp
    return (this.#clock = at === undefined ? 0 : msOf(at))
  }

  set clock(time: number) {
    this.#clock = time
  }

  /** Time of its latest turn. Before its first turn, a rerun has the time of a copied one, which other code may have made. */
  get madeAt(): number {
    const {created, updated} = this.instance
    const copied = updated > created ? [] : eventsOf(this.history.slice(-1))
    return copied.reduce((at, {timestamp}) => Math.min(at, timestamp === undefined ? at : msOf(timestamp)), updated)
  }

  /** The patches that the code has asked for, in order. Decodes each turn once. */
  get patches(): readonly string[] {
    if (this.#patchedTurns > this.history.length) [this.#patchedTurns, this.#patches] = [0, []]
    for (; this.#patchedTurns < this.history.length; this.#patchedTurns++)
      for (const patch of patchesOf(this.history[this.#patchedTurns] ?? NO_BYTES))
        if (!this.#patches.includes(patch)) this.#patches.push(patch)
    return this.#patches
  }

  /** Whether it has started, or its planned start is due. */
  get mayStart(): boolean {
    return this.instance.turns > 0 || this.inbox.some(({kind}) => kind === 'start')
  }

  /** Whether it is suspended at the end of its history. */
  get isSuspended(): boolean {
    const {status} = this.instance
    return status === STALLED ? isSuspendedIn(this.history) : status === SUSPENDED
  }

  /** The bytes of its history. Counts each turn once. */
  get bytes(): number {
    if (this.#countedTurns > this.history.length) this.#countedTurns = this.#bytes = 0
    for (; this.#countedTurns < this.history.length; this.#countedTurns++)
      this.#bytes += this.history[this.#countedTurns]?.length ?? 0
    return this.#bytes
  }

  /** The bytes that the next turn sends to a worker, roughly. Counts each inbox entry once. */
  get turnBytes(): number {
    const {received = NO_BYTES} = this.instance
    if (this.#countedInbox !== this.inbox)
      [this.#countedInbox, this.#countedEntries, this.#inboxBytes] = [this.inbox, 0, 0]
    for (; this.#countedEntries < this.inbox.length; this.#countedEntries++)
      this.#inboxBytes += this.inbox[this.#countedEntries]?.event.length ?? 0
    return this.bytes + received.length + this.#inboxBytes
  }
}

interface Turns {
  readonly clock: Clock
  readonly droppedTurns: ReadonlySet<TurnItem>
}

/** A turn for a worker, which gets the history and the inbox of the instance. */
export class TurnItem implements WorkItem {
  readonly kind = 'workflows'
  readonly live: LiveInstance
  readonly #of: Turns
  /** The input of the latest dispatch; undefined: not sent yet. */
  start: TurnStart | undefined
  /** Number of turns of its instance when it was sent; -1: not sent yet. */
  #turns = -1
  #execution = ''
  token = ''

  constructor(live: LiveInstance, of: Turns) {
    this.live = live
    this.#of = of
  }

  /** Whether a worker still has a dropped turn of an instance with this id. */
  get isBehind(): boolean {
    return [...this.#of.droppedTurns].some(each => each.isOf(this.live.instance))
  }

  isOf({app, id}: Pick<Instance, 'app' | 'id'>): boolean {
    return this.live.instance.app === app && this.live.instance.id === id
  }

  get name(): string {
    return this.live.instance.name
  }

  get bytes(): number {
    return this.live.turnBytes
  }

  /** Whether a stored instance waits for the answer to this turn. */
  isTurnOf({turns, execution}: Instance): boolean {
    return this.#turns === turns && this.#execution === execution
  }

  compose(completionToken: string): Uint8Array | undefined {
    if (this.live.turn !== this) return undefined
    const {instance, history, isSuspended} = this.live
    const inbox = nextOf(this.live.inbox)
    this.#turns = instance.turns
    this.#execution = instance.execution
    const {id, app, trace} = instance
    const now = this.#of.clock.date()
    // the clock of the code shows the planned time of a skipped timer, and never goes back
    const startedAt = inbox.reduce((at, each) => Math.max(at, dueOf(each)), Math.max(now, this.live.clock))
    const aheadMs = startedAt - now
    this.start = {app, id, trace, startedAt, sentAt: performance.now(), aheadMs, isSuspended, inbox}
    return turnMessage(instance, {history, startedAt, came: inbox.map(({event}) => event)}, completionToken)
  }
}

interface TurnContents {
  readonly history: readonly Uint8Array[]
  readonly startedAt: number
  readonly came: readonly Uint8Array[]
}

/** Encodes the WorkItem message of a turn. */
export function turnMessage(
  {id: instanceId, execution, received: propagatedHistory = NO_BYTES}: Instance,
  {history, startedAt, came}: TurnContents,
  completionToken: string
): Uint8Array {
  const newEvents = [eventOf(startedAt, {workflowStarted: {version: undefined}}), ...came]
  const request = encode(TURN_REQUEST, {instanceId, executionId: {value: execution}, newEvents, propagatedHistory})
  return encode(WORK_ITEM, {workflowRequest: Buffer.concat([...history, request]), completionToken})
}

/** Whether an instance is suspended at the end of this history. */
export function isSuspendedIn(history: readonly Uint8Array[]): boolean {
  const last = eventsOf(history).findLast(each => (each.executionSuspended ?? each.executionResumed) !== undefined)
  return last?.executionSuspended !== undefined
}

/** Returns the planned time of a fired timer; 0 for other entries. */
function dueOf({kind, event}: InboxEntry): number {
  const fireAt = kind === 'timer' ? readEvent(event).timerFired?.fireAt : undefined
  return fireAt === undefined ? 0 : msOf(fireAt)
}

/** An activity for a worker. */
export class ActivityItem implements WorkItem {
  readonly kind = 'activities'
  readonly activity: OpenActivity
  readonly id: string
  readonly source: string
  /** Whether the activity is not wanted any more, so that its answer is ignored. */
  isDropped = false
  /** When it was last sent to a worker, by `performance.now()`. */
  sentAt = 0
  token = ''
  readonly #isFirst: () => boolean
  #decoded: {readonly name: string; readonly execution: string} | undefined

  constructor(activity: OpenActivity, {id, app}: Pick<Instance, 'id' | 'app'>, isFirst: () => boolean) {
    this.activity = activity
    this.id = id
    this.source = app
    this.#isFirst = isFirst
  }

  /** Whether an earlier activity of the same instance id and task number is open: of a removed instance, or of an earlier round. */
  get isBehind(): boolean {
    return !this.#isFirst()
  }

  get name(): string {
    return this.#asked.name
  }

  get bytes(): number {
    return this.activity.request.length
  }

  get execution(): string {
    return this.#asked.execution
  }

  get #asked(): {readonly name: string; readonly execution: string} {
    return (this.#decoded ??= askedBy(this.activity))
  }

  compose(completionToken: string): Uint8Array | undefined {
    this.sentAt = performance.now()
    if (this.isDropped) return undefined
    const {request} = this.activity
    return encode(WORK_ITEM, {activityRequest: request, completionToken})
  }
}

function askedBy({request}: OpenActivity): {readonly name: string; readonly execution: string} {
  const {name, workflowInstance} = decode(ACTIVITY_REQUEST, request)
  return {name, execution: workflowInstance?.executionId?.value ?? ''}
}
