import type {Call} from '../../model/call.ts'
import {systemClock} from '../../platform/clock.ts'
import {NumberedList} from '../../model/numbered-list.ts'

/** The properties of a call that the queue of its callee uses. */
export type PendingCall = Pick<Call, 'caller' | 'from' | 'method' | 'path' | 'stream' | 'isOwn' | 'number' | 'hasWoken'>

/** Permission to call the app. Its owner calls `leave` exactly once, when the call has ended. `isBroken`: the app closed the connection during it. */
export interface Permit {
  readonly leave: (isBroken?: boolean) => void
}

/** A call that the exit of the app's process interrupted, and how long the call had been in flight. */
export interface InterruptedCall {
  readonly pendingCall: PendingCall
  readonly forMs: number
}

/** A queued call, as its caller's side sees it. `outcome` resolves with a permit, or with the reason for a denial. */
export interface Queued {
  readonly outcome: Promise<Permit | string>
  /** Removes the call from the queue after its caller has disconnected. */
  cancel(): void
}

interface QueuedCall {
  readonly pendingCall: PendingCall
  readonly settle: (outcome: Permit | string) => void
  /** Stops the timer that ends the wait; undefined: the call may wait without limit. */
  callOff: (() => void) | undefined
  readonly since: number
  /** Time from which its time limit counts; later than `since` if the call first waited without limit. */
  from: number
}

/** A call in flight. `since`: time of its admission (`performance.now()`). */
interface Admitted {
  readonly id: number
  readonly pendingCall: PendingCall
  readonly since: number
}

/** Counts of queued calls since `startStats`. */
export interface QueueStats {
  held: number
  longestMs: number
  /** Calls that were denied, including timeouts. Calls whose callers disconnected are not counted. */
  lost: number
}

/** A wait for the end of some calls in flight. */
interface Drain {
  readonly left: Set<PendingCall>
  readonly resolve: () => void
  /** Stops the timer after which the last streams are ended; undefined: the timer does not run. */
  callOff?: (() => void) | undefined
}

export interface AdmissionQueueOptions {
  /** Maximum time in the queue, in ms; Infinity: until the caller disconnects. */
  readonly timeoutMs: number
  /** Maximum number of queued calls. */
  readonly capacity?: number
  /** Returns extra text for the error of a call that timed out in the queue. */
  readonly explain?: (pendingCall: PendingCall) => string
  /** Called when a call has been queued. */
  readonly onWait?: ((pendingCall: PendingCall) => void) | undefined
  /** Called when the app has closed the connection of a call. */
  readonly onBroken?: (() => void) | undefined
}

/** Wait before streams are ended, in ms: a unary call looks like a stream until its last frame arrives. */
const STREAM_GRACE_MS = 100

const isStream = ({stream}: PendingCall): boolean => stream?.isStream === true

/** Resolves a drain if its calls have ended. If only streams are left, ends them after a moment, since a stream may never end by itself. */
function settleDrain(drain: Drain): void {
  const {left, resolve} = drain
  if (left.size === 0) return resolve()
  if (drain.callOff !== undefined || ![...left].every(isStream)) return
  const end = (): void => {
    drain.callOff = undefined
    if ([...left].every(isStream)) for (const {stream} of left) stream?.endStream()
  }
  drain.callOff = systemClock.after(STREAM_GRACE_MS, end)
}

/** Maximum time between the close of a crashing app's connections and its observed exit, in ms. */
const EXIT_DELAY_MS = 500
const MAX_REMEMBERED = 1000

const CALLER_DISCONNECTED = 'the caller disconnected'

/**
 * The queue of calls in front of one app. `open`: admits calls, since the app is ready. `held`: queues calls, since the app starts or
 * reloads. `shut`: denies calls with a reason. Admits queued calls in order of arrival. Knows nothing of HTTP.
 */
export class AdmissionQueue {
  readonly #options: AdmissionQueueOptions & Required<Pick<AdmissionQueueOptions, 'capacity' | 'explain'>>
  readonly #inFlight = new NumberedList<Admitted>()
  #admitted = 0
  /** The latest calls whose connection the app closed. A crashing app closes connections shortly before its exit is observed. */
  #broken: (InterruptedCall & {readonly at: number})[] = []
  readonly #waiting = new Set<QueuedCall>()
  #state: 'open' | 'held' | 'shut' = 'held'
  #reason = ''
  /** Whether callers see `#reason` also during a pause, whose own reason says less. */
  #isPrecise = false
  /** Whether `open`, `hold` and `shut` have no effect: the app is suspended or closed, whatever its processes do. */
  #isLocked = false
  /** Reasons to queue calls although the app is ready. */
  readonly #pauses = new Set<string>()
  readonly #drains = new Set<Drain>()
  readonly #openListeners = new Set<() => void>()
  #stats: QueueStats = {held: 0, longestMs: 0, lost: 0}
  #timeoutMs: number

  constructor(options: AdmissionQueueOptions) {
    this.#options = {capacity: 10_000, explain: () => '', ...options}
    this.#timeoutMs = options.timeoutMs
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  /** Sets the maximum wait of new and queued calls, in ms; Infinity: no limit. A finite limit after Infinity counts from now. */
  set timeoutMs(timeoutMs: number) {
    if (timeoutMs === this.#timeoutMs) return
    const wasEndless = this.#timeoutMs === Infinity
    this.#timeoutMs = timeoutMs
    for (const queued of this.#waiting) {
      if (wasEndless) queued.from = performance.now()
      queued.callOff?.()
      this.#limit(queued)
    }
  }

  /** Number of calls that the queue has admitted. */
  get admitted(): number {
    return this.#admitted
  }

  /** The calls in flight, oldest first, with their admission times (`performance.now()`). */
  get inFlight(): ReadonlyMap<PendingCall, number> {
    return new Map(this.#inFlight.all().map(({pendingCall, since}) => [pendingCall, since]))
  }

  /**
   * Returns the calls that the exit of a process interrupted, oldest first: calls in flight, and calls whose connection closed shortly before
   * the exit. `from`, `to`: start and exit of the process.
   */
  interruptedBy({from, to}: {readonly from: number; readonly to: number}): readonly InterruptedCall[] {
    const broken = this.#broken.filter(({at}) => at >= Math.max(from, to - EXIT_DELAY_MS))
    const now = performance.now()
    const inFlight = this.#inFlight.all().map(({pendingCall, since}) => ({pendingCall, forMs: now - since, at: now}))
    return [...broken, ...inFlight]
      .toSorted((a, b) => a.at - a.forMs - (b.at - b.forMs))
      .map(({pendingCall, forMs}) => ({pendingCall, forMs}))
  }

  /** State of the queue. A pause does not change it. */
  get state(): 'open' | 'held' | 'shut' {
    return this.#state
  }

  /** Whether the queue admits a new call at once. */
  get isOpen(): boolean {
    return this.#state === 'open' && this.#pauses.size === 0
  }

  /** Why calls are queued. */
  get reason(): string {
    return (this.#isPrecise && this.#reason) || ([...this.#pauses].at(-1) ?? this.#reason)
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Queued calls, in order of arrival. */
  get held(): readonly PendingCall[] {
    return [...this.#waiting].map(({pendingCall}) => pendingCall)
  }

  /** Calls the listener whenever the queue opens, after the queued calls were admitted. Returns a function that unsubscribes. */
  onOpen(listener: () => void): () => void {
    this.#openListeners.add(listener)
    return () => this.#openListeners.delete(listener)
  }

  /** Starts new statistics of queued calls; they replace the previous ones. */
  startStats(): Readonly<QueueStats> {
    this.#stats = {held: 0, longestMs: 0, lost: 0}
    return this.#stats
  }

  /** Queues new calls even in the state `open`, until `unpause` with the same reason. A shut queue stays shut. */
  pause(why: string): void {
    this.#pauses.add(why)
  }

  unpause(why: string): void {
    if (this.#pauses.delete(why) && this.isOpen) this.#letIn()
  }

  open(): void {
    if (this.#isLocked) return
    this.#state = 'open'
    this.#reason = ''
    if (this.isOpen) this.#letIn()
  }

  /** Queues calls. `reason`: part of the error of a call that times out. `isPrecise`: it replaces the reason of a pause. */
  hold(reason: string, isPrecise = false): void {
    if (this.#isLocked) return
    this.#state = 'held'
    this.#reason = reason
    this.#isPrecise = isPrecise
  }

  shut(reason: string): void {
    if (this.#isLocked) return
    this.#state = 'shut'
    this.#reason = reason
    for (const queued of this.#waiting) this.#settle(queued, reason)
  }

  /** Shuts the queue until `reopen`, since the app leaves the run. Calls in flight may finish. */
  close(reason: string): void {
    this.#isLocked = false
    this.shut(reason)
    this.#isLocked = true
  }

  /** Whether `close` has shut the queue. */
  get isClosed(): boolean {
    return this.#isLocked && this.#state === 'shut'
  }

  /** Queues calls without a time limit until `reopen`. Denies requests of the sidecar to its own app: the next sidecar repeats them. */
  suspend(reason: string): void {
    this.hold(reason, true)
    this.#isLocked = true
    this.timeoutMs = Infinity
    for (const queued of this.#waiting) if (queued.pendingCall.isOwn === true) this.#settle(queued, reason)
  }

  /** Ends `close` or `suspend`: queues calls until the next process of the app is ready. */
  reopen(): void {
    this.#isLocked = false
    this.hold('')
  }

  /** Decides about a new call. Returns a permit, the reason for a denial, or a queued call. */
  admit(pendingCall: PendingCall): Permit | string | Queued {
    if (this.isOpen) return this.enter(pendingCall)
    if (this.#state === 'shut' || (this.#isLocked && pendingCall.isOwn === true)) return this.#reason
    if (this.#waiting.size >= this.#options.capacity) {
      this.#stats.lost++
      return `${this.#options.capacity} calls are queued already; ${this.reason}`
    }
    return this.#queue(pendingCall)
  }

  /** Waits until the calls that are in flight now have ended. Resolves with false when the signal is aborted before. */
  async drained(signal?: AbortSignal): Promise<boolean> {
    if (this.#inFlight.size === 0) return true
    if (signal?.aborted === true) return false
    const {promise, resolve} = Promise.withResolvers<boolean>()
    const drain: Drain = {
      left: new Set(this.#inFlight.all().map(({pendingCall}) => pendingCall)),
      resolve: () => resolve(true)
    }
    this.#drains.add(drain)
    for (const {stream} of drain.left)
      if (stream !== undefined) stream.changed = () => [...this.#drains].forEach(settleDrain) // several drains may wait for this stream
    settleDrain(drain)
    signal?.addEventListener('abort', () => resolve(false), {once: true})
    try {
      return await promise
    } finally {
      this.#drains.delete(drain)
      drain.callOff?.()
    }
  }

  #letIn(): void {
    for (const queued of this.#waiting) this.#settle(queued, this.enter(queued.pendingCall))
    for (const listener of this.#openListeners) listener()
  }

  /** Admits a call in any state of the queue. */
  enter(pendingCall: PendingCall): Permit {
    const admitted = {id: ++this.#admitted, pendingCall, since: performance.now()}
    this.#inFlight.add(admitted)
    return {
      leave: (isBroken = false) => {
        if (isBroken) this.#remember(admitted)
        this.#inFlight.remove(admitted)
        for (const drain of this.#drains) if (drain.left.delete(pendingCall)) settleDrain(drain)
      }
    }
  }

  #remember({pendingCall, since}: Admitted): void {
    const at = performance.now()
    if (this.#broken.length >= MAX_REMEMBERED) this.#broken = this.#broken.slice(-MAX_REMEMBERED / 2)
    this.#broken.push({pendingCall, forMs: at - since, at})
    this.#options.onBroken?.()
  }

  #queue(pendingCall: PendingCall): Queued {
    const {promise, resolve} = Promise.withResolvers<Permit | string>()
    const since = performance.now()
    const queued: QueuedCall = {pendingCall, settle: resolve, callOff: undefined, since, from: since}
    this.#limit(queued)
    this.#waiting.add(queued)
    this.#options.onWait?.(pendingCall)
    return {outcome: promise, cancel: () => this.#settle(queued, CALLER_DISCONNECTED)}
  }

  #limit(queued: QueuedCall): void {
    queued.callOff = undefined
    const ms = this.#timeoutMs
    if (ms === Infinity) return
    const now = performance.now()
    queued.callOff = systemClock.after(Math.max(0, queued.from + ms - now), () => {
      const waited = `waited ${Math.round((performance.now() - queued.since) / 1000)} s`
      this.#settle(queued, `${waited}; ${this.reason}${this.#options.explain(queued.pendingCall)}`)
    })
  }

  #settle(queued: QueuedCall, outcome: Permit | string): void {
    if (!this.#waiting.delete(queued)) return
    queued.callOff?.()
    if (queued.pendingCall.isOwn !== true) this.#count(queued, outcome)
    queued.settle(outcome)
  }

  #count({since}: QueuedCall, outcome: Permit | string): void {
    this.#stats.held++
    this.#stats.longestMs = Math.max(this.#stats.longestMs, performance.now() - since)
    if (typeof outcome === 'string' && outcome !== CALLER_DISCONNECTED) this.#stats.lost++
  }
}
