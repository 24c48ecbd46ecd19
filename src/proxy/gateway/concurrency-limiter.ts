import {denied, isHeld, type Admission, type Held} from './admission.ts'

interface QueuedCall {
  readonly admit: () => Admission | Held
  /** Its wait in the admission queue, once it has a slot; undefined: it waits for a slot, or was admitted at once. */
  entered: Held | undefined
  /** Listener of `Held.onCounted`: called when timeouts of policies begin or cease to include the wait. */
  counts: ((isCounted: boolean) => void) | undefined
  readonly settle: (admission: Admission | Promise<Admission>) => void
}

/** Maximum number of calls that wait for a slot. */
const MAX_QUEUE = 10_000

/**
 * Limits the calls in flight to an app to `appMaxConcurrency`. Further calls wait for a slot in order of arrival. A call keeps its slot while
 * it is in the admission queue, and until the last byte of its response (Dapr: pkg/channel/http).
 */
export class ConcurrencyLimiter {
  readonly #limit: () => number
  readonly #waiting: QueuedCall[] = []
  #taken = 0
  /** Whether the app serves the calls that have slots. While it does not, all waits are for the app, and timeouts of policies exclude them. */
  #isInUse = true
  /** Whether the loop in `#free` runs: a call that is denied at once frees its slot within the loop, which must not start another loop. */
  #isLettingIn = false

  /** `limit`: returns the maximum number of calls in flight; 0: no limit. */
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

  /** Calls `ask`, which asks the admission queue, once a slot is free. `isCounted`: whether the app accepts calls, so that the wait is for a slot. */
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

  /** Makes the end of an admitted call free its slot. Frees the slot of a denied call at once. */
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
    // from here on the call waits for the app: a denied call may wait for another instance or for an edit
    if (isHeld(admission) || !admission.ok) queued.counts?.(false)
    queued.settle(isHeld(admission) ? admission.admitted : admission)
  }
}

const full = denied('too many calls are queued for this app already (appMaxConcurrency)')
const disconnected = denied('the caller disconnected')
