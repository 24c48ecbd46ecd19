import {denied, isHeld, type Admission, type Held} from './admission.ts'

interface QueuedCall {
  readonly admit: () => Admission | Held
  /** Its place in the admission queue, after it has a slot. */
  entered: Held | undefined
  /** Called when its wait begins or ceases to count. */
  counts: ((isCounted: boolean) => void) | undefined
  readonly settle: (admission: Admission | Promise<Admission>) => void
}

/** Maximum number of calls that wait for a slot. */
const MAX_QUEUE = 10_000

/**
 * Limits the calls in flight to an app by `appMaxConcurrency`. Others wait in order of arrival, until they are cancelled. A call has a
 * slot from the admission queue to the last byte of the response (Dapr: pkg/channel/http).
 */
export class ConcurrencyLimiter {
  readonly #limit: () => number
  readonly #waiting: QueuedCall[] = []
  #taken = 0
  /** Whether the app serves the calls with slots. Otherwise waiting calls wait for the app, and no timeout counts that. */
  #isInUse = true
  /** Whether a loop lets waiting calls in: calls that are denied at once must not nest. */
  #isLettingIn = false

  /** `limit`: 0: no limit. */
  constructor(limit: () => number) {
    this.#limit = limit
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Whether all slots are taken. */
  get isFull(): boolean {
    const limit = this.#limit()
    return limit > 0 && this.#taken >= limit
  }

  /** Calls `ask` once a slot is free. `isCounted`: false while the app accepts no calls. */
  admit(ask: () => Admission | Held, isCounted = true): Admission | Held {
    if (this.#limit() === 0 && this.#taken === 0) return ask()
    if (!this.isFull) return this.#take(ask)
    if (this.#waiting.length >= MAX_QUEUE) return full
    const {promise, resolve} = Promise.withResolvers<Admission>()
    const queued: QueuedCall = {admit: ask, entered: undefined, counts: undefined, settle: resolve}
    this.#waiting.push(queued)
    return {
      isCounted: isCounted && this.#isInUse,
      onCounted: listener => void (queued.counts = listener),
      reason: 'appMaxConcurrency',
      admitted: promise,
      cancel: () => {
        queued.entered?.cancel()
        const at = this.#waiting.indexOf(queued)
        if (at < 0) return
        this.#waiting.splice(at, 1)
        resolve(disconnected)
      }
    }
  }

  #take(ask: () => Admission | Held): Admission | Held {
    this.#taken++
    const admission = ask()
    if (!isHeld(admission)) return this.#withSlot(admission)
    this.#use(false)
    const {reason} = admission
    return {reason, admitted: admission.admitted.then(each => this.#withSlot(each)), cancel: () => admission.cancel()}
  }

  /** Frees the slot when the call ends, or immediately if it is denied. */
  #withSlot(admission: Admission): Admission {
    if (!admission.ok) {
      this.#free()
      return admission
    }
    this.#use(true)
    return {
      ...admission,
      leave: isBroken => {
        admission.leave(isBroken)
        this.#free()
      }
    }
  }

  #use(isInUse: boolean): void {
    if (this.#isInUse === isInUse) return
    this.#isInUse = isInUse
    for (const {counts} of this.#waiting) counts?.(isInUse)
  }

  #free(): void {
    this.#taken--
    if (this.#isLettingIn) return
    this.#isLettingIn = true
    try {
      while (this.#waiting.length > 0 && !this.isFull) this.#letIn(this.#waiting.shift())
    } finally {
      this.#isLettingIn = false
    }
  }

  #letIn(queued: QueuedCall | undefined): void {
    if (queued === undefined) return
    const admission = this.#take(queued.admit)
    if (isHeld(admission)) queued.entered = admission
    // a denied call may wait for another instance, or for an edit
    if (isHeld(admission) || !admission.ok) queued.counts?.(false)
    queued.settle(isHeld(admission) ? admission.admitted : admission)
  }
}

const full = denied('too many calls are queued for this app already (appMaxConcurrency)')
const disconnected = denied('the caller disconnected')
