import {messageOf} from '../../model/errors.ts'
import type {Delay} from '../faults/hit.ts'
import type {Admission, Held} from './admission.ts'
import type {HeldBodies} from './held-bodies.ts'

/** Result of a wait: the queue has decided, or the delay of a fault is over. */
export type WaitEnd = {readonly kind: 'decided'; readonly admission: Admission} | {readonly kind: 'delayed'}

/** A wait of a call: in the queue of its callee, or for the delay of a fault. Counts the bytes of its body that are buffered meanwhile. */
export class PassageWait {
  readonly #held: Held | Delay
  readonly #bodies: HeldBodies | undefined
  #bytes = 0
  #isOver = false

  constructor(held: Held | Delay, bodies: HeldBodies | undefined) {
    this.#held = held
    this.#bodies = bodies
  }

  /** Reason for the wait, for the record of the call. */
  get reason(): string | undefined {
    return this.#held.reason
  }

  /** Counts more buffered bytes. Returns false if they exceed the limit of the listener. */
  reserve(bytes: number): boolean {
    if (this.#bodies?.hold(bytes) === false) return false
    this.#bytes += bytes
    return true
  }

  /** Reports to the listener whether timeouts of policies include the wait, now and at each change. */
  onCounted(listener: (isCounted: boolean) => void): void {
    const held = this.#held
    const ifWaiting = (isCounted: boolean): void => {
      if (!this.#isOver) listener(isCounted)
    }
    listener(held.isCounted === true)
    if ('onCounted' in held) held.onCounted?.(ifWaiting)
  }

  /** Resolves at the end of the wait. Never rejects. */
  async ended(): Promise<WaitEnd> {
    try {
      const admission = await this.#held.admitted
      return admission === undefined ? {kind: 'delayed'} : {kind: 'decided', admission}
    } catch (error) {
      return {kind: 'decided', admission: {ok: false, status: 500, error: messageOf(error)}}
    }
  }

  /** Releases the counted bytes after the end of the wait. */
  release(): void {
    this.#isOver = true
    this.#bodies?.release(this.#bytes)
    this.#bytes = 0
  }

  /** Leaves the queue. */
  cancel(): void {
    this.#held.cancel()
    this.release()
  }
}
