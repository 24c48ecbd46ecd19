import type {Call} from '../model/call.ts'

/** One call on its way to an app, as long as it is under way. */
export type PendingCall = Pick<Call, 'caller' | 'method' | 'path'>

/** The way is free: `leave` exactly once when the call is over; `isBroken`: the app broke it off. */
export interface Permit {
  readonly leave: (isBroken?: boolean) => void
}

/** A call that an app broke off, or never answered, and how long it had been there. */
export interface InterruptedCall {
  readonly pendingCall: PendingCall
  readonly forMs: number
}

/** The call waits. `answer` settles with a pass, or with the reason why there will be none. */
export interface Waiting {
  readonly answer: Promise<Permit | string>
  /** The caller has left. */
  cancel(): void
}

interface QueuedCall {
  readonly pendingCall: PendingCall
  readonly settle: (answer: Permit | string) => void
  readonly timer: NodeJS.Timeout
  readonly since: number
}

/** What became of the calls that have waited since a moment. */
export interface QueueStats {
  held: number
  longestMs: number
  /** They waited in vain; callers who left are not counted. */
  lost: number
}

/** Waits for the end of some calls. */
interface Drain {
  readonly left: Set<PendingCall>
  readonly resolve: () => void
}

export interface AdmissionQueueOptions {
  /** How long a call waits at most. */
  readonly timeoutMs: number
  /** How many may wait at once. */
  readonly capacity?: number
  /** What a call that has waited in vain hears besides. */
  readonly explain?: (pendingCall: PendingCall) => string
}

/** A program that dies may hang up on its callers before it is gone. */
const SHORTLY_MS = 500
const MAX_REMEMBERED = 1000

const CALLER_LEFT = 'the caller left'

/**
 * The queue before one app: open while the app is ready, held while it starts or reloads, shut with a reason when a call
 * would be in vain. It knows nothing of HTTP. What waits is let in in the order of its coming.
 */
export class AdmissionQueue {
  readonly #options: Required<AdmissionQueueOptions>
  /** With the time of their coming (`performance.now()`). */
  readonly #inside = new Map<PendingCall, number>()
  /** The latest calls that were broken off; their connections end a moment before the app's end is heard of. */
  #broken: (InterruptedCall & {readonly at: number})[] = []
  readonly #waiting = new Set<QueuedCall>()
  #state: 'open' | 'held' | 'shut' = 'held'
  #reason = ''
  #isClosed = false
  /** Why nobody is let in although the app is ready. */
  readonly #pauses = new Set<string>()
  readonly #drains = new Set<Drain>()
  #stats: QueueStats = {held: 0, longestMs: 0, lost: 0}

  constructor({timeoutMs, capacity = 10_000, explain = () => ''}: AdmissionQueueOptions) {
    this.#options = {timeoutMs, capacity, explain}
  }

  /** The calls under way in the app, oldest first, with the time of their coming (`performance.now()`). */
  get inside(): ReadonlyMap<PendingCall, number> {
    return this.#inside
  }

  /** The calls that were under way when the app ended, oldest first: those broken off since, or shortly before, and those still inside. */
  interruptedBy(end: number): readonly InterruptedCall[] {
    const broken = this.#broken.filter(({at}) => at >= end - SHORTLY_MS)
    const inside = [...this.#inside].map(([pendingCall, since]) => ({pendingCall, forMs: performance.now() - since}))
    return [...broken.map(({pendingCall, forMs}) => ({pendingCall, forMs})), ...inside].toSorted(
      (a, b) => b.forMs - a.forMs
    )
  }

  /** What it is without its bars. */
  get state(): 'open' | 'held' | 'shut' {
    return this.#state
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** The calls that wait, in the order of their coming. */
  get held(): readonly PendingCall[] {
    return [...this.#waiting].map(({pendingCall}) => pendingCall)
  }

  /** Counts the calls that wait from now on; the last one who asks is told. */
  count(): Readonly<QueueStats> {
    this.#stats = {held: 0, longestMs: 0, lost: 0}
    return this.#stats
  }

  /** Whoever comes to the open queue waits, until `unpause` with the same words. A queue that is shut stays shut. */
  pause(why: string): void {
    this.#pauses.add(why)
  }

  unpause(why: string): void {
    if (this.#pauses.delete(why) && this.#isOpen) this.#letIn()
  }

  open(): void {
    if (this.#isClosed) return
    this.#state = 'open'
    this.#reason = ''
    if (this.#isOpen) this.#letIn()
  }

  /** Calls wait from now on; `reason` is what those hear who wait in vain. */
  hold(reason: string): void {
    if (this.#isClosed) return
    this.#state = 'held'
    this.#reason = reason
  }

  shut(reason: string): void {
    if (this.#isClosed) return
    this.#state = 'shut'
    this.#reason = reason
    for (const queued of this.#waiting) this.#settle(queued, reason)
  }

  /** Shut for good, whatever becomes of the app; who is inside may finish. */
  close(reason: string): void {
    this.shut(reason)
    this.#isClosed = true
  }

  /** A pass, the reason why there is none, or a place in the queue. */
  admit(pendingCall: PendingCall): Permit | string | Waiting {
    if (this.#isOpen) return this.#enter(pendingCall)
    if (this.#state === 'shut') return this.#reason
    if (this.#waiting.size >= this.#options.capacity) {
      this.#stats.lost++
      return `${this.#options.capacity.toString()} calls are waiting already; ${this.#words}`
    }
    return this.#queue(pendingCall)
  }

  /** Settles when the calls that are under way in the app now are over, true, or the signal is aborted, false. */
  async drained(signal?: AbortSignal): Promise<boolean> {
    if (this.#inside.size === 0) return true
    if (signal?.aborted === true) return false
    const {promise, resolve} = Promise.withResolvers<boolean>()
    const drain: Drain = {left: new Set(this.#inside.keys()), resolve: () => resolve(true)}
    this.#drains.add(drain)
    signal?.addEventListener('abort', () => resolve(false), {once: true})
    try {
      return await promise
    } finally {
      this.#drains.delete(drain)
    }
  }

  get #isOpen(): boolean {
    return this.#state === 'open' && this.#pauses.size === 0
  }

  /** Why a call waits. */
  get #words(): string {
    return [...this.#pauses].at(-1) ?? this.#reason
  }

  #letIn(): void {
    for (const queued of this.#waiting) this.#settle(queued, this.#enter(queued.pendingCall))
  }

  #enter(pendingCall: PendingCall): Permit {
    this.#inside.set(pendingCall, performance.now())
    return {
      leave: (isBroken = false) => {
        if (isBroken) this.#remember(pendingCall)
        this.#inside.delete(pendingCall)
        for (const {left, resolve} of this.#drains) if (left.delete(pendingCall) && left.size === 0) resolve()
      }
    }
  }

  #remember(pendingCall: PendingCall): void {
    const at = performance.now()
    if (this.#broken.length >= MAX_REMEMBERED) this.#broken = this.#broken.slice(-MAX_REMEMBERED / 2)
    this.#broken.push({pendingCall, forMs: at - (this.#inside.get(pendingCall) ?? at), at})
  }

  #queue(pendingCall: PendingCall): Waiting {
    const {promise, resolve} = Promise.withResolvers<Permit | string>()
    const seconds = Math.round(this.#options.timeoutMs / 1000).toString()
    const timer = setTimeout(() => {
      this.#settle(queued, `waited ${seconds} s; ${this.#words}${this.#options.explain(pendingCall)}`)
    }, this.#options.timeoutMs)
    const queued: QueuedCall = {pendingCall, settle: resolve, timer, since: performance.now()}
    this.#waiting.add(queued)
    return {
      answer: promise,
      cancel: () => {
        this.#settle(queued, CALLER_LEFT)
      }
    }
  }

  #settle(queued: QueuedCall, answer: Permit | string): void {
    if (!this.#waiting.delete(queued)) return
    clearTimeout(queued.timer)
    this.#stats.held++
    this.#stats.longestMs = Math.max(this.#stats.longestMs, performance.now() - queued.since)
    if (typeof answer === 'string' && answer !== CALLER_LEFT) this.#stats.lost++
    queued.settle(answer)
  }
}
