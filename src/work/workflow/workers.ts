import {randomUUID} from 'node:crypto'
import type {Clock} from '../../platform/clock.ts'
import {aborted} from '../../platform/delay.ts'
import type {WorkflowSettings} from '../../model/workflow-settings.ts'
import {PORTION, PORTION_BYTES} from './left-work.ts'

/** How long work waits without a connected worker before `lacking` counts it, in ms. */
const LACK_MS = 2000

/** A worker: one stream of an app's SDK, which runs turns and activities. */
export interface Worker {
  /** Maximum number of items that it has at a time. */
  readonly limit: number
  readonly home: string
  /** Start of its process, by `performance.now()`; undefined: unknown. */
  readonly process?: number | undefined
  readonly connection?: object
  /** Whether the worker has unread items. Such a worker receives no others. */
  readonly isBehind?: () => boolean
  send(item: Uint8Array): void
}

/** Counts the items that workers have, by kind and name, and compares the numbers with the limits of the app's Configuration. */
class WorkLimits {
  readonly #settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>
  readonly #counts = {workflows: 0, activities: 0}
  readonly #named = {workflows: new Map<string, number>(), activities: new Map<string, number>()}

  constructor(settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>) {
    this.#settings = settings
  }

  /** Returns the limit that delays the item: its kind, or its kind and name; '': none. */
  of(item: WorkItem): string {
    const {kind} = item
    const {all, byName} = this.#settings()[kind]
    if (this.#counts[kind] >= all) return kind
    const {name} = item // the name of an activity is decoded when it is first read
    return (this.#named[kind].get(name) ?? 0) < (byName.get(name) ?? Infinity) ? '' : `${kind} ${name}`
  }

  count({kind, name}: WorkItem, by: 1 | -1): void {
    this.#counts[kind] += by
    const named = (this.#named[kind].get(name) ?? 0) + by
    if (named > 0) this.#named[kind].set(name, named)
    else this.#named[kind].delete(name)
  }
}

/** A turn or an activity for a worker. */
export interface WorkItem {
  readonly kind: 'workflows' | 'activities'
  readonly name: string
  /** Whether a worker may still answer an older item of the same name. Without tokens, both answers look the same: the item has to wait. */
  readonly isBehind?: boolean
  /** Id of the execution that asked for an activity (`Instance.execution`). */
  readonly execution?: string
  readonly bytes?: number
  /** Token of the latest dispatch, which its answer contains; '': not sent in this run yet. */
  token: string
  /** Builds the message for a worker now; undefined: the item is not wanted any more. */
  compose(token: string): Uint8Array | undefined
}

interface Connected {
  readonly worker: Worker
  readonly items: Set<WorkItem>
  /** Resolves when it has answered all its items, after which its process ends; undefined: it receives work. */
  leaving: PromiseWithResolvers<void> | undefined
}

interface Abandoned {
  readonly items: readonly WorkItem[]
  readonly home: string
  readonly at: number
}

/** How long the items of a disconnected worker are remembered, in ms: the exit of its process is noticed later than the end of its stream. */
const ABANDONED_MS = 2000

interface WorkersEvents {
  readonly onSent: (item: WorkItem) => unknown
  /** Called when the worker of an item has disconnected without an answer. */
  readonly onLeft: (item: WorkItem) => void
}

/** The connected workers of one app, which are interchangeable, and the queue of items for them. */
export class AppWorkers {
  readonly #connected: Connected[] = []
  #abandoned: readonly Abandoned[] = []
  readonly #waiting = new Set<WorkItem>()
  /** Queues of items that a limit delays, by limit: `flush`, which runs for each answer, need not scan them. */
  readonly #limited = new Map<string, Set<WorkItem>>()
  readonly #inHand = new Map<WorkItem, Connected>()
  /** Whether all answers of the connected workers had tokens; undefined: none has answered. */
  #sendTokens: boolean | undefined
  /** When its last worker left, by `performance.now()`; 0: never had one. */
  leftAt = 0
  /** Since when items have waited without a connected worker, by `performance.now()`; 0: they have not. */
  #lacksSince = 0
  /** The only process with connected workers, by its start or its worker; undefined: none yet, or several. */
  #onlyProcess: number | Worker | undefined
  /** Connection of the latest worker: a program that reloads itself opens another one in the same process. */
  #connection: object | undefined
  /** Since when that process has made all turns, all with the same code, in ms since 1970; Infinity: unknown. */
  sameCodeSince = Infinity
  readonly #limits: WorkLimits
  readonly #clock: Clock
  readonly #events: WorkersEvents

  /** `settings`: returns the current settings of the app's Configuration. */
  constructor(settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>, clock: Clock, events: WorkersEvents) {
    this.#clock = clock
    this.#events = events
    this.#limits = new WorkLimits(settings)
  }

  /** Returns the number of connected workers; `home`: those of one instance of the app. */
  count(home?: string): number {
    return this.#connected.filter(({worker}) => home === undefined || worker.home === home).length
  }

  get isBusy(): boolean {
    return this.#inHand.size > 0 || (this.#waitingCount > 0 && this.#connected.length > 0)
  }

  /** Whether workers could accept more items than the queue has. */
  get hasCapacity(): boolean {
    return this.#connected.length > 0 && this.hasRoom
  }

  /** Whether the queue is smaller than a portion of work that is read from the file. */
  get hasRoom(): boolean {
    if (this.#waitingCount >= PORTION) return false
    let left = PORTION_BYTES
    for (const {bytes = 0} of this.waiting()) if ((left -= bytes) < 0) return false
    return true
  }

  get isUnclaimed(): boolean {
    return this.#waitingCount > 0 && this.#connected.length === 0
  }

  get #queues(): readonly Set<WorkItem>[] {
    return [...this.#limited.values(), this.#waiting]
  }

  get #waitingCount(): number {
    return this.#queues.reduce((sum, {size}) => sum + size, 0)
  }

  waiting(): readonly WorkItem[] {
    return this.#queues.flatMap(queue => [...queue])
  }

  /** Number of items that have waited without a connected worker for longer than a reload takes. */
  get lacking(): number {
    const isLong = this.#lacksSince > 0 && performance.now() - this.#lacksSince >= LACK_MS
    return isLong && this.#connected.length === 0 ? this.#waitingCount : 0
  }

  add(item: WorkItem): void {
    if (this.#waitingCount === 0 && this.#connected.length === 0) this.#lacksSince = performance.now()
    this.#waiting.add(item)
  }

  /** Sends queued items in order, each to the worker with the fewest items. */
  flush(): void {
    // begins with items that the limit of a name delayed: they are older than those that the limit of their kind delayed
    const limited = [...this.#limited].toSorted(([one], [other]) => other.length - one.length)
    for (const [held, queue] of [...limited, ['', this.#waiting] as const])
      for (const item of queue) {
        const limit = this.#limits.of(item)
        if (limit !== '' && held.startsWith(limit)) break
        if (limit !== '') this.#limited.set(limit, (this.#limited.get(limit) ?? new Set()).add(item))
        else if (item.isBehind === true && this.#sendTokens !== true) continue
        else if (!this.#send(item)) return
        queue.delete(item)
      }
  }

  /** Sends one item. Returns false if no worker can accept it. */
  #send(item: WorkItem): boolean {
    const to = this.#leastBusy()
    if (to === undefined) return false
    const token = `${randomUUID()}.${item.execution ?? ''}`
    const message = item.compose(token)
    if (message === undefined) return true
    to.items.add(item)
    item.token = token
    this.#inHand.set(item, to)
    this.#limits.count(item, 1)
    to.worker.send(message)
    this.#events.onSent(item)
    return true
  }

  /** Connects a worker. The returned function disconnects it, and queues its items for others. */
  connect(worker: Worker): () => void {
    const connected: Connected = {worker, items: new Set(), leaving: undefined}
    if (this.#connected.length === 0 && worker.connection !== this.#connection) this.#onlyProcess = undefined
    this.#connection = worker.connection
    this.#connected.push(connected)
    this.#noteProcesses()
    return () => {
      this.#connected.splice(this.#connected.indexOf(connected), 1)
      this.#noteProcesses()
      if (this.#connected.length === 0) {
        this.leftAt = this.#lacksSince = performance.now()
        this.#sendTokens = undefined
      }
      this.#remember(connected)
      for (const item of connected.items) {
        this.#inHand.delete(item)
        this.#limits.count(item, -1)
        this.#waiting.add(item)
        this.#events.onLeft(item)
      }
      connected.leaving?.resolve()
    }
  }

  /** Returns a function that ends the supply of items to an instance's present workers, and waits for their answers; false: `signal` was first. */
  present(home: string): (signal: AbortSignal) => Promise<boolean> {
    const leaving = this.#connected.filter(({worker}) => worker.home === home)
    return async signal => {
      const answered = leaving.map(async each => {
        each.leaving ??= Promise.withResolvers()
        if (each.items.size === 0) each.leaving.resolve()
        return each.leaving.promise
      })
      return Promise.race([Promise.all(answered).then(() => true), aborted(signal).then(() => false)])
    }
  }

  /** Lets the workers of an instance receive items again at the next `flush`, after `present`. */
  resume(home: string): void {
    for (const each of this.#connected) if (each.worker.home === home) each.leaving = undefined
  }

  #remember({worker: {home}, items}: Connected): void {
    const at = performance.now()
    const known = this.#abandoned.filter(each => at - each.at < ABANDONED_MS)
    this.#abandoned = items.size === 0 ? known : [...known, {items: [...items], home, at}]
  }

  /** Lists the items of a process that has just ended. `since`: start of the process, by `performance.now()`. */
  heldBy(home: string, since: number): readonly WorkItem[] {
    const earliest = Math.max(since, performance.now() - ABANDONED_MS)
    const left = this.#abandoned.filter(each => each.home === home && each.at >= earliest)
    const there = this.#connected.filter(({worker}) => worker.home === home)
    return [...new Set([...left, ...there].flatMap(({items}) => [...items]))]
  }

  inHand(): Iterable<WorkItem> {
    return this.#inHand.keys()
  }

  /** Whether an answer with this token belongs to this item. Any answer without a token does. */
  isAnswered(item: WorkItem, token: string): boolean {
    const {token: own, execution} = item
    if (token === '') this.#sendTokens = false
    else if (own === token && this.isInHand(item)) this.#sendTokens ??= true
    // a worker of the previous run may answer an item that it received from that run
    return token === '' || own === token || (own === '' && execution !== undefined && token.endsWith(`.${execution}`))
  }

  #noteProcesses(): void {
    const [first, second] = new Set(this.#connected.map(({worker}) => worker.process ?? worker))
    if (first === undefined) return // the same worker may connect again
    const only = second === undefined ? first : undefined
    if (only !== this.#onlyProcess) this.sameCodeSince = only === undefined ? Infinity : this.#clock.date()
    this.#onlyProcess = only
  }

  isInHand(item: WorkItem): boolean {
    return this.#inHand.has(item)
  }

  /** Removes an item that was answered, or is not wanted any more. */
  remove(item: WorkItem): void {
    for (const queue of this.#queues) queue.delete(item)
    const inHand = this.#inHand.get(item)
    if (inHand === undefined) return
    this.#inHand.delete(item)
    this.#limits.count(item, -1)
    const {items, leaving} = inHand
    items.delete(item)
    if (items.size === 0) leaving?.resolve()
  }

  /** Returns the worker with the fewest items; undefined: none can accept another one. */
  #leastBusy(): Connected | undefined {
    const able = this.#connected.filter(
      ({worker, items, leaving}) => leaving === undefined && items.size < worker.limit && worker.isBehind?.() !== true
    )
    return able.toSorted((one, other) => one.items.size - other.items.size)[0]
  }
}
