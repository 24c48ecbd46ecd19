/** One call on its way to an app, as long as it is under way. */
export interface Visit {
  readonly caller: string
  readonly method: string
  readonly path: string
}

/** The way is free: `leave` exactly once when the call is over; `isBroken`: the app broke it off. */
export interface Pass {
  readonly leave: (isBroken?: boolean) => void
}

/** A call that an app broke off, or never answered, and how long it had been there. */
export interface Caught {
  readonly visit: Visit
  readonly forMs: number
}

/** The call waits. `answer` settles with a pass, or with the reason why there will be none. */
export interface Waiting {
  readonly answer: Promise<Pass | string>
  /** The caller has left. */
  cancel(): void
}

interface Waiter {
  readonly visit: Visit
  readonly settle: (answer: Pass | string) => void
  readonly timer: NodeJS.Timeout
  readonly since: number
}

/** What became of the calls that have waited since a moment. */
export interface Tally {
  held: number
  longestMs: number
  /** They waited in vain; callers who left are not counted. */
  lost: number
}

/** Waits for the end of some calls. */
interface Drain {
  readonly left: Set<Visit>
  readonly resolve: () => void
}

export interface GateOptions {
  /** How long a call waits at most. */
  readonly timeoutMs: number
  /** How many may wait at once. */
  readonly capacity?: number
  /** What a call that has waited in vain hears besides. */
  readonly explain?: (visit: Visit) => string
}

/** A program that dies may hang up on its callers before it is gone. */
const SHORTLY_MS = 500
const MOST_REMEMBERED = 1000

const CALLER_LEFT = 'the caller left'

/**
 * The gate before one app: open while the app is ready, held while it starts or reloads, shut with a reason when a call
 * would be in vain. It knows nothing of HTTP. What waits is let in in the order of its coming.
 */
export class Gate {
  readonly #options: Required<GateOptions>
  /** With the time of their coming (`performance.now()`). */
  readonly #inside = new Map<Visit, number>()
  /** The latest calls that were broken off; their connections end a moment before the app's end is heard of. */
  #broken: (Caught & {readonly at: number})[] = []
  readonly #waiting = new Set<Waiter>()
  #state: 'open' | 'held' | 'shut' = 'held'
  #reason = ''
  /** Why nobody is let in although the app is ready. */
  readonly #bars = new Set<string>()
  readonly #drains = new Set<Drain>()
  #tally: Tally = {held: 0, longestMs: 0, lost: 0}

  constructor({timeoutMs, capacity = 10_000, explain = () => ''}: GateOptions) {
    this.#options = {timeoutMs, capacity, explain}
  }

  /** The calls under way in the app, oldest first, with the time of their coming (`performance.now()`). */
  get inside(): ReadonlyMap<Visit, number> {
    return this.#inside
  }

  /** The calls that were under way when the app ended, oldest first: those broken off since, or shortly before, and those still inside. */
  caughtBy(end: number): readonly Caught[] {
    const broken = this.#broken.filter(({at}) => at >= end - SHORTLY_MS)
    const inside = [...this.#inside].map(([visit, since]) => ({visit, forMs: performance.now() - since}))
    return [...broken.map(({visit, forMs}) => ({visit, forMs})), ...inside].toSorted((a, b) => b.forMs - a.forMs)
  }

  /** What it is without its bars. */
  get state(): 'open' | 'held' | 'shut' {
    return this.#state
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** The calls that wait, in the order of their coming. */
  get held(): readonly Visit[] {
    return [...this.#waiting].map(({visit}) => visit)
  }

  /** Counts the calls that wait from now on; the last one who asks is told. */
  count(): Readonly<Tally> {
    this.#tally = {held: 0, longestMs: 0, lost: 0}
    return this.#tally
  }

  /** Whoever comes to the open gate waits, until `unbar` with the same words. A gate that is shut stays shut. */
  bar(why: string): void {
    this.#bars.add(why)
  }

  unbar(why: string): void {
    if (this.#bars.delete(why) && this.#isOpen) this.#letIn()
  }

  open(): void {
    this.#state = 'open'
    this.#reason = ''
    if (this.#isOpen) this.#letIn()
  }

  /** Calls wait from now on; `reason` is what those hear who wait in vain. */
  hold(reason: string): void {
    this.#state = 'held'
    this.#reason = reason
  }

  shut(reason: string): void {
    this.#state = 'shut'
    this.#reason = reason
    for (const waiter of this.#waiting) this.#settle(waiter, reason)
  }

  /** A pass, the reason why there is none, or a place in the queue. */
  admit(visit: Visit): Pass | string | Waiting {
    if (this.#isOpen) return this.#enter(visit)
    if (this.#state === 'shut') return this.#reason
    if (this.#waiting.size >= this.#options.capacity) {
      this.#tally.lost++
      return `${this.#options.capacity.toString()} calls are waiting already; ${this.#words}`
    }
    return this.#queue(visit)
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
    return this.#state === 'open' && this.#bars.size === 0
  }

  /** Why a call waits. */
  get #words(): string {
    return [...this.#bars].at(-1) ?? this.#reason
  }

  #letIn(): void {
    for (const waiter of this.#waiting) this.#settle(waiter, this.#enter(waiter.visit))
  }

  #enter(visit: Visit): Pass {
    this.#inside.set(visit, performance.now())
    return {
      leave: (isBroken = false) => {
        if (isBroken) this.#remember(visit)
        this.#inside.delete(visit)
        for (const {left, resolve} of this.#drains) if (left.delete(visit) && left.size === 0) resolve()
      }
    }
  }

  #remember(visit: Visit): void {
    const at = performance.now()
    if (this.#broken.length >= MOST_REMEMBERED) this.#broken = this.#broken.slice(-MOST_REMEMBERED / 2)
    this.#broken.push({visit, forMs: at - (this.#inside.get(visit) ?? at), at})
  }

  #queue(visit: Visit): Waiting {
    const {promise, resolve} = Promise.withResolvers<Pass | string>()
    const seconds = Math.round(this.#options.timeoutMs / 1000).toString()
    const timer = setTimeout(() => {
      this.#settle(waiter, `waited ${seconds} s; ${this.#words}${this.#options.explain(visit)}`)
    }, this.#options.timeoutMs)
    const waiter: Waiter = {visit, settle: resolve, timer, since: performance.now()}
    this.#waiting.add(waiter)
    return {
      answer: promise,
      cancel: () => {
        this.#settle(waiter, CALLER_LEFT)
      }
    }
  }

  #settle(waiter: Waiter, answer: Pass | string): void {
    if (!this.#waiting.delete(waiter)) return
    clearTimeout(waiter.timer)
    this.#tally.held++
    this.#tally.longestMs = Math.max(this.#tally.longestMs, performance.now() - waiter.since)
    if (typeof answer === 'string' && answer !== CALLER_LEFT) this.#tally.lost++
    waiter.settle(answer)
  }
}
