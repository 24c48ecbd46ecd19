import type {Admission, Held} from './admission.ts'

interface QueuedCall {
  readonly ask: () => Admission | Held
  /** It has its place, and waits at the queue. */
  entered: Held | undefined
  readonly settle: (answer: Admission | Promise<Admission>) => void
}

/** More than may wait at a queue would be no queue. */
const MAX_QUEUE = 10_000

const isHeld = (answer: Admission | Held): answer is Held => 'admitted' in answer

/**
 * `appMaxConcurrency`: so many calls are with an app at once; the others wait, first come, first served, each until it leaves.
 * A place is taken from the queue on until the last byte of the answer has come (Dapr: pkg/channel/http).
 */
export class ConcurrencyLimiter {
  readonly #most: () => number
  readonly #waiting: QueuedCall[] = []
  #taken = 0

  /** `most`: 0 = any number. */
  constructor(most: () => number) {
    this.#most = most
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Asks for a call once there is a place for it. */
  admit(ask: () => Admission | Held): Admission | Held {
    if (this.#most() === 0 && this.#taken === 0) return ask()
    if (this.#hasPlace()) return this.#take(ask)
    if (this.#waiting.length >= MAX_QUEUE) return full
    const {promise, resolve} = Promise.withResolvers<Admission>()
    const queued: QueuedCall = {ask, entered: undefined, settle: resolve}
    this.#waiting.push(queued)
    return {
      isCounted: true,
      admitted: promise,
      cancel: () => {
        queued.entered?.cancel()
        const at = this.#waiting.indexOf(queued)
        if (at < 0) return
        this.#waiting.splice(at, 1)
        resolve(left)
      }
    }
  }

  #hasPlace(): boolean {
    const most = this.#most()
    return most === 0 || this.#taken < most
  }

  #take(ask: () => Admission | Held): Admission | Held {
    this.#taken++
    const answer = ask()
    if (!isHeld(answer)) return this.#with(answer)
    return {admitted: answer.admitted.then(each => this.#with(each)), cancel: () => answer.cancel()}
  }

  /** Who is let in gives his place back when he leaves; who is not, at once. */
  #with(answer: Admission): Admission {
    if (!answer.ok) {
      this.#free()
      return answer
    }
    return {
      ...answer,
      leave: isBroken => {
        answer.leave(isBroken)
        this.#free()
      }
    }
  }

  #free(): void {
    this.#taken--
    while (this.#hasPlace()) {
      const queued = this.#waiting.shift()
      if (queued === undefined) return
      const answer = this.#take(queued.ask)
      if (isHeld(answer)) queued.entered = answer
      queued.settle(isHeld(answer) ? answer.admitted : answer)
    }
  }
}

const denied = (error: string): Admission => ({ok: false, status: 500, error})
const full = denied('too many calls wait for a place already (appMaxConcurrency)')
const left = denied('the caller left')
