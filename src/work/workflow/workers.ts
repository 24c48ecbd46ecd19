import {randomUUID} from 'node:crypto'
import type {Clock} from '../../platform/clock.ts'
import {aborted} from '../../platform/delay.ts'
import type {WorkflowSettings} from '../../model/workflow-settings.ts'
import {PORTION, PORTION_BYTES} from './left-work.ts'

/** How long work waits for a worker before that is reported, in ms. */
const LACK_MS = 2000

/** The stream of a worker, and the limit of its open work. */
export interface Worker {
  readonly limit: number
  readonly home: string
  /** Start of its process, by `performance.now()`; undefined if unknown. */
  readonly process?: number | undefined
  readonly connection?: object
  /** Whether the worker has unread items. Such a worker gets no more. */
  readonly isBehind?: () => boolean
  send(item: Uint8Array): void
}

/** How much work of each kind and name an app's workers have, and may have by its Configuration. */
class WorkLimits {
  readonly #settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>
  readonly #counts = {workflows: 0, activities: 0}
  readonly #named = {workflows: new Map<string, number>(), activities: new Map<string, number>()}

  constructor(settings: () => Pick<WorkflowSettings, 'workflows' | 'activities'>) {
    this.#settings = settings
  }

  /** Returns the limit that delays the item: its kind, or its kind and name; empty for none. */
  of(item: WorkItem): string {
    const {kind} = item
    const {all, byName} = this.#settings()[kind]
    if (this.#counts[kind] >= all) return kind
    const {name} = item // the name of an activity is decoded when it is first read
    return (this.#named[kind].get(name) ?? 0) < (byName.get(name) ?? Infinity) ? '' : `${kind} ${name}`
  }

  /** Adds one to the open work (`by`: 1), or subtracts one (−1). */
  count({kind, name}: WorkItem, by: 1 | -1): void {
    this.#counts[kind] += by
    const named = (this.#named[kind].get(name) ?? 0) + by
    if (named > 0) this.#named[kind].set(name, named)
    else this.#named[kind].delete(name)
  }
}

export interface WorkItem {
  readonly kind: 'workflows' | 'activities'
  readonly name: string
  /** Whether a worker may still answer an older item of the same name: without a token, its answer could not be distinguished from one to this item. */
  readonly isBehind?: boolean
  /** Execution that asked for it: each start and each continue-as-new is a new one. */
  readonly execution?: string
  readonly bytes?: number
  /** The token of the latest dispatch, which its answer contains; '': not sent yet in this run. */
  token: string
  /** Builds the message for a worker now. Undefined if nothing is left to do. */
  compose(token: string): Uint8Array | undefined
}

interface Connected {
  readonly worker: Worker
  readonly items: Set<WorkItem>
  /** Set while its process is about to end, so that it gets no more work. Resolved when it has none left. */
  leaving: PromiseWithResolvers<void> | undefined
}

interface Abandoned {
  readonly items: readonly WorkItem[]
  readonly home: string
  readonly at: number
}

/** Time in ms to remember a disconnected worker's items: the end of its process is noticed later than that of its stream. */
const ABANDONED_MS = 2000

interface WorkersEvents {
  readonly onSent: (item: WorkItem) => unknown
  /** Called when its worker has disconnected without an answer. */
  readonly onLeft: (item: WorkItem) => void
}

/** The workers of one app, all equal, and the items that wait for one. */
export class AppWorkers {
  readonly #connected: Connected[] = []
  #abandoned: readonly Abandoned[] = []
  readonly #waiting = new Set<WorkItem>()
  /** Items that a limit holds back, by limit. Kept apart so that `flush`, called for each answer, does not scan them. */
  readonly #limited = new Map<string, Set<WorkItem>>()
  readonly #inHand = new Map<WorkItem, Connected>()
  /** Whether all answers of the connected workers had tokens; undefined before the first. */
  #sendTokens: boolean | undefined
  /** When its last worker left, by `performance.now()`; 0: never had one. */
  leftAt = 0
  /** When the waiting items began to wait for a worker to connect, by `performance.now()`; 0: they do not. */
  #lacksSince = 0
  /** The only process with connected workers, or its worker. Undefined before the first, and for several. */
  #only: number | Worker | undefined
  #connection: object | undefined // of the latest worker; a program that reloads itself has another one in the same process
  /** Since when all turns were made by that process, and so by the same code, in ms since 1970. */
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

  /** Number of connected workers; `home`: of one instance of the app. */
  count(home?: string): number {
    return this.#connected.filter(({worker}) => home === undefined || worker.home === home).length
  }

  get isBusy(): boolean {
    return this.#inHand.size > 0 || (this.#waits > 0 && this.#connected.length > 0)
  }

  /** Whether workers could accept more than waits for them. */
  get hasCapacity(): boolean {
    return this.#connected.length > 0 && this.hasRoom
  }

  /** Whether less waits than a portion of the file's work. */
  get hasRoom(): boolean {
    if (this.#waits >= PORTION) return false
    let left = PORTION_BYTES
    for (const {bytes = 0} of this.waiting()) if ((left -= bytes) < 0) return false
    return true
  }

  get isUnclaimed(): boolean {
    return this.#waits > 0 && this.#connected.length === 0
  }

  get #queues(): readonly Set<WorkItem>[] {
    return [...this.#limited.values(), this.#waiting]
  }

  get #waits(): number {
    return this.#queues.reduce((sum, {size}) => sum + size, 0)
  }

  waiting(): readonly WorkItem[] {
    return this.#queues.flatMap(queue => [...queue])
  }

  /** Number of items that have waited without a connected worker for longer than a reload takes. */
  get lacking(): number {
    const isLong = this.#lacksSince > 0 && performance.now() - this.#lacksSince >= LACK_MS
    return isLong && this.#connected.length === 0 ? this.#waits : 0
  }

  add(item: WorkItem): void {
    if (this.#waits === 0 && this.#connected.length === 0) this.#lacksSince = performance.now()
    this.#waiting.add(item)
  }

  /** Sends waiting items in order, each to the worker with the least work. */
  flush(): void {
    // items delayed by a name's limit first: they were at the head of their kind
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
    const to = this.#next()
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

  /** Connects a worker. The returned function disconnects it, and gives its items to others. */
  connect(worker: Worker): () => void {
    const connected: Connected = {worker, items: new Set(), leaving: undefined}
    if (this.#connected.length === 0 && worker.connection !== this.#connection) this.#only = undefined
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
      this.#abandon(connected)
      for (const item of connected.items) {
        this.#inHand.delete(item)
        this.#limits.count(item, -1)
        this.#waiting.add(item)
        this.#events.onLeft(item)
      }
      connected.leaving?.resolve()
    }
  }

  /** Returns a function that stops giving work to the workers of an instance, and waits for their answers: false if the signal aborts first. */
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

  /** Gives work again, at the next `flush`, to workers of an instance that are still connected, next to the ended process. */
  resume(home: string): void {
    for (const each of this.#connected) if (each.worker.home === home) each.leaving = undefined
  }

  #abandon({worker: {home}, items}: Connected): void {
    const at = performance.now()
    const known = this.#abandoned.filter(each => at - each.at < ABANDONED_MS)
    this.#abandoned = items.size === 0 ? known : [...known, {items: [...items], home, at}]
  }

  /** Lists the work of a process that has just ended. `since` is the start of the process, by `performance.now()`. */
  heldBy(home: string, since: number): readonly WorkItem[] {
    const earliest = Math.max(since, performance.now() - ABANDONED_MS)
    const left = this.#abandoned.filter(each => each.home === home && each.at >= earliest)
    const there = this.#connected.filter(({worker}) => worker.home === home)
    return [...new Set([...left, ...there].flatMap(({items}) => [...items]))]
  }

  inHand(): Iterable<WorkItem> {
    return this.#inHand.keys()
  }

  /** Whether an answer with this token belongs to this item. From workers without tokens, any answer does. */
  isAnswered(item: WorkItem, token: string): boolean {
    const {token: own, execution} = item
    if (token === '') this.#sendTokens = false
    else if (own === token && this.isInHand(item)) this.#sendTokens ??= true
    // a worker from the previous run may answer an item of that run
    return token === '' || own === token || (own === '' && execution !== undefined && token.endsWith(`.${execution}`))
  }

  #noteProcesses(): void {
    const [first, second] = new Set(this.#connected.map(({worker}) => worker.process ?? worker))
    if (first === undefined) return // the same worker may connect again
    const only = second === undefined ? first : undefined
    if (only !== this.#only) this.sameCodeSince = only === undefined ? Infinity : this.#clock.date()
    this.#only = only
  }

  isInHand(item: WorkItem): boolean {
    return this.#inHand.has(item)
  }

  /** Removes an item that is answered, or no longer wanted. */
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

  #next(): Connected | undefined {
    const able = this.#connected.filter(
      ({worker, items, leaving}) => leaving === undefined && items.size < worker.limit && worker.isBehind?.() !== true
    )
    return able.toSorted((one, other) => one.items.size - other.items.size)[0]
  }
}
