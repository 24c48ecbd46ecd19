import type {Call} from '../../model/call.ts'
import {systemClock} from '../../platform/clock.ts'
import {NumberedList} from '../../model/numbered-list.ts'

/** The queue's view of one call to an app. */
export type PendingCall = Pick<Call, 'caller' | 'from' | 'method' | 'path' | 'stream' | 'isOwn' | 'number' | 'hasWoken'>

/** Admission to the app: call `leave` exactly once at the end of the call. `isBroken`: the app closed the connection during the call. */
export interface Permit {
  readonly leave: (isBroken?: boolean) => void
}

/** A call whose connection the app closed, or that got no response, and how long it had been in flight. */
export interface InterruptedCall {
  readonly pendingCall: PendingCall
  readonly forMs: number
}

/** A queued call. `outcome` settles with a permit, or with the reason for a denial. */
export interface Queued {
  readonly outcome: Promise<Permit | string>
  /** The caller has disconnected. */
  cancel(): void
}

interface QueuedCall {
  readonly pendingCall: PendingCall
  readonly settle: (outcome: Permit | string) => void
  /** Stops the timer of a call that may wait for a limited time. */
  callOff: (() => void) | undefined
  readonly since: number
  /** Start of its limit. */
  from: number
}

/** A call in flight, and when it was admitted (`performance.now()`). */
interface Admitted {
  readonly id: number
  readonly pendingCall: PendingCall
  readonly since: number
}

/** Counts the calls that were queued since a moment. */
export interface QueueStats {
  held: number
  longestMs: number
  /** Calls that were rejected or timed out; callers that disconnected are not counted. */
  lost: number
}

/** Waits for the end of some calls. */
interface Drain {
  readonly left: Set<PendingCall>
  readonly resolve: () => void
  /** Runs while only streams are left. */
  callOff?: (() => void) | undefined
}

export interface AdmissionQueueOptions {
  /** Maximum time in the queue, in ms; Infinity: until the caller leaves. */
  readonly timeoutMs: number
  /** Maximum number of queued calls. */
  readonly capacity?: number
  /** Extra text for the error of a call that timed out in the queue. */
  readonly explain?: (pendingCall: PendingCall) => string
  /** A call waits from now on. */
  readonly onWait?: ((pendingCall: PendingCall) => void) | undefined
  /** The app has closed the connection of a call. */
  readonly onBroken?: (() => void) | undefined
}

/** Time for a unary call's last frame, in ms: until it arrives, the call may look like a stream. */
const STREAM_GRACE_MS = 100

const isStream = ({stream}: PendingCall): boolean => stream?.isStream === true

/** Ends a drain when no call is left. Streams may be endless: they are ended once only streams are left. */
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

/** An app that crashes may close its connections this long before its exit is noticed. */
const EXIT_DELAY_MS = 500
const MAX_REMEMBERED = 1000

const CALLER_DISCONNECTED = 'the caller disconnected'

/**
 * The queue in front of one app: open while the app is ready, held while it starts or reloads, shut with a reason while
 * calls would fail. Independent of HTTP. Queued calls are admitted in order of arrival.
 */
export class AdmissionQueue {
  readonly #options: AdmissionQueueOptions & Required<Pick<AdmissionQueueOptions, 'capacity' | 'explain'>>
  readonly #inFlight = new NumberedList<Admitted>()
  #admitted = 0
  /** The latest calls whose connection the app closed; that happens shortly before its exit is noticed. */
  #broken: (InterruptedCall & {readonly at: number})[] = []
  readonly #waiting = new Set<QueuedCall>()
  #state: 'open' | 'held' | 'shut' = 'held'
  #reason = ''
  #isPrecise = false // `#reason` is more precise than the reason of a pause
  #isLocked = false // while set, processes of the app do not change the state
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

  /** Maximum wait of calls in ms, including waiting ones. Infinity: as long as the caller waits; a finite limit set later counts from then. */
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

  /** How many calls were admitted so far. */
  get admitted(): number {
    return this.#admitted
  }

  /** The calls in flight, oldest first, with their admission times (`performance.now()`). */
  get inFlight(): ReadonlyMap<PendingCall, number> {
    return new Map(this.#inFlight.all().map(({pendingCall, since}) => [pendingCall, since]))
  }

  /** Returns the calls that were in flight at the exit of a process which ran between these times, oldest first. Includes calls that broke off shortly before. */
  interruptedBy({from, to}: {readonly from: number; readonly to: number}): readonly InterruptedCall[] {
    const broken = this.#broken.filter(({at}) => at >= Math.max(from, to - EXIT_DELAY_MS))
    const now = performance.now()
    const inFlight = this.#inFlight.all().map(({pendingCall, since}) => ({pendingCall, forMs: now - since, at: now}))
    return [...broken, ...inFlight]
      .toSorted((a, b) => a.at - a.forMs - (b.at - b.forMs))
      .map(({pendingCall, forMs}) => ({pendingCall, forMs}))
  }

  /** The state without regard to pauses. */
  get state(): 'open' | 'held' | 'shut' {
    return this.#state
  }

  /** A new call is admitted immediately. */
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

  /** Held calls, in order of arrival. */
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

  /** Queues new calls, even if the queue is open, until `unpause` with the same reason. A shut queue stays shut. */
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

  /** Queues calls from now on. `reason` is part of a timeout's error, during a pause only if it `isPrecise`. */
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

  /** Shuts the queue until `reopen`; calls in flight may finish. */
  close(reason: string): void {
    this.#isLocked = false
    this.shut(reason)
    this.#isLocked = true
  }

  /** Whether no process of the app opens the queue. */
  get isClosed(): boolean {
    return this.#isLocked && this.#state === 'shut'
  }

  /** Queues calls without a limit until `reopen`. Requests of the sidecar to its app are refused: the next sidecar makes them. */
  suspend(reason: string): void {
    this.hold(reason, true)
    this.#isLocked = true
    this.timeoutMs = Infinity
    for (const queued of this.#waiting) if (queued.pendingCall.isOwn === true) this.#settle(queued, reason)
  }

  /** Holds calls for the next process of the app. */
  reopen(): void {
    this.#isLocked = false
    this.hold('')
  }

  /** Returns a permit, the reason for a denial, or a place in the queue. */
  admit(pendingCall: PendingCall): Permit | string | Queued {
    if (this.isOpen) return this.enter(pendingCall)
    if (this.#state === 'shut' || (this.#isLocked && pendingCall.isOwn === true)) return this.#reason
    if (this.#waiting.size >= this.#options.capacity) {
      this.#stats.lost++
      return `${this.#options.capacity} calls are queued already; ${this.reason}`
    }
    return this.#queue(pendingCall)
  }

  /** Resolves true when the calls that are in flight now have ended, false when the signal is aborted. */
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
      if (stream !== undefined) stream.changed = () => [...this.#drains].forEach(settleDrain) // others may wait for it, too
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

  /** Admits a call in any state. */
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
