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

/** A WorkItem has one of two requests: a turn or an activity. */
const WORK_ITEM = {
  workflowRequest: [1, 'bytes'],
  activityRequest: [2, 'bytes'],
  completionToken: [10, 'string']
} as const

/** WorkflowRequest without its past events, which are joined already. */
const TURN_REQUEST = {
  instanceId: [1, 'string'],
  executionId: [2, {message: TEXT}],
  newEvents: [4, 'chunks'],
  propagatedHistory: [8, 'bytes']
} as const

/** An instance in memory, with its history. */
export class LiveInstance {
  readonly instance: Instance
  readonly history: Uint8Array[]
  inbox: InboxEntry[]
  /** The turn that a worker has, or will get. */
  turn: TurnItem | undefined
  /** When its first turn was sent, by `performance.now()`. Undefined if unknown in this run. */
  began: number | undefined
  #clock: number | undefined
  #patches: string[] = []
  #patched = 0
  #counted = 0
  #bytes = 0
  /** The inbox whose bytes were counted already. */
  #sized: readonly InboxEntry[] = []
  #sizedTo = 0
  #inboxBytes = 0

  constructor(instance: Instance, history: Uint8Array[], inbox: InboxEntry[]) {
    this.instance = instance
    this.history = history
    this.inbox = inbox
  }

  /** Replaces the memory by the contents of the file. */
  reread(instance: Instance, readHistory: () => Uint8Array[], inbox: InboxEntry[]): void {
    const {turns, execution} = instance
    if (turns !== this.history.length || execution !== this.instance.execution) {
      this.history.length = 0
      for (const events of readHistory()) this.history.push(events)
      this.#patched = this.#counted = Infinity
    }
    Object.assign(this.instance, instance)
    this.inbox = inbox
    this.#clock = undefined
  }

  /** Start of the latest turn in the workflow's own time, which is ahead after skipped timers. */
  get clock(): number {
    if (this.#clock !== undefined) return this.#clock
    const [first] = splitEvents(this.history.at(-1) ?? NO_BYTES)
    const at = first && readEvent(first).timestamp
    return (this.#clock = at === undefined ? 0 : msOf(at))
  }

  set clock(time: number) {
    this.#clock = time
  }

  /** Time of its latest turn. A rerun without turns has its source's, maybe of other code. */
  get madeAt(): number {
    const {created, updated} = this.instance
    const copied = updated > created ? [] : eventsOf(this.history.slice(-1))
    return copied.reduce((at, {timestamp}) => Math.min(at, timestamp === undefined ? at : msOf(timestamp)), updated)
  }

  /** The patches that its turns have met, in order: each turn is decoded once. */
  get patches(): readonly string[] {
    if (this.#patched > this.history.length) [this.#patched, this.#patches] = [0, []]
    for (; this.#patched < this.history.length; this.#patched++)
      for (const patch of patchesOf(this.history[this.#patched] ?? NO_BYTES))
        if (!this.#patches.includes(patch)) this.#patches.push(patch)
    return this.#patches
  }

  /** Whether it has started, or its start time has come. */
  get mayStart(): boolean {
    return this.instance.turns > 0 || this.inbox.some(({kind}) => kind === 'start')
  }

  /** Whether it is suspended at the end of its history. */
  get isSuspended(): boolean {
    const {status} = this.instance
    return status === STALLED ? isSuspendedIn(this.history) : status === SUSPENDED
  }

  /** The bytes of its history: each turn is counted once. */
  get bytes(): number {
    if (this.#counted > this.history.length) this.#counted = this.#bytes = 0
    for (; this.#counted < this.history.length; this.#counted++) this.#bytes += this.history[this.#counted]?.length ?? 0
    return this.#bytes
  }

  /** The bytes that the next turn sends to a worker, roughly. */
  get turnBytes(): number {
    const {received = NO_BYTES} = this.instance
    if (this.#sized !== this.inbox) [this.#sized, this.#sizedTo, this.#inboxBytes] = [this.inbox, 0, 0]
    for (; this.#sizedTo < this.inbox.length; this.#sizedTo++)
      this.#inboxBytes += this.inbox[this.#sizedTo]?.event.length ?? 0
    return this.bytes + received.length + this.#inboxBytes
  }
}

interface Turns {
  readonly clock: Clock
  readonly droppedTurns: ReadonlySet<TurnItem>
}

/** A turn: the worker gets the history and the inbox. */
export class TurnItem implements WorkItem {
  readonly kind = 'workflows'
  readonly live: LiveInstance
  readonly #of: Turns
  start: TurnStart | undefined
  /** The number of turns of its instance when it was sent. */
  #turns = -1
  #execution = ''
  token = ''

  constructor(live: LiveInstance, of: Turns) {
    this.live = live
    this.#of = of
  }

  /** Whether a worker still has the turn of a removed instance of this id. */
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
    // the code's clock shows the times of skipped timers, and never goes back, so that its arithmetic holds
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

/** The WorkItem message of a turn. */
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

/** The planned time of a timer that has fired. */
function dueOf({kind, event}: InboxEntry): number {
  const fireAt = kind === 'timer' ? readEvent(event).timerFired?.fireAt : undefined
  return fireAt === undefined ? 0 : msOf(fireAt)
}

/** A task for a worker. */
export class ActivityItem implements WorkItem {
  readonly kind = 'activities'
  readonly activity: OpenActivity
  readonly id: string
  readonly source: string
  /** Whether the task is no longer open, so that its answer does not count. */
  isDropped = false
  /** When a worker last got it, by `performance.now()`. */
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

  /** Whether a worker may still answer an earlier task of the same name and number: of a removed instance of this id, or from before a continue-as-new. */
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
