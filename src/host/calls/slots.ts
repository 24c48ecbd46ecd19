import type {Admission, Held} from '../../sidecar/admission.ts'

interface Waiter {
  readonly ask: () => Admission | Held
  /** It has its place, and waits at the gate. */
  entered: Held | undefined
  readonly settle: (answer: Admission | Promise<Admission>) => void
}

/** More than may wait at a gate would be no queue. */
const QUEUE_MOST = 10_000

const isHeld = (answer: Admission | Held): answer is Held => 'admitted' in answer

/**
 * `appMaxConcurrency`: so many calls are with an app at once; the others wait, first come, first served, each until it leaves.
 * A place is taken from the gate on until the last byte of the answer has come (Dapr: pkg/channel/http).
 */
export class Slots {
  readonly #most: () => number
  readonly #waiting: Waiter[] = []
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
    if (this.#waiting.length >= QUEUE_MOST) return full
    const {promise, resolve} = Promise.withResolvers<Admission>()
    const waiter: Waiter = {ask, entered: undefined, settle: resolve}
    this.#waiting.push(waiter)
    return {
      admitted: promise,
      cancel: () => {
        waiter.entered?.cancel()
        const at = this.#waiting.indexOf(waiter)
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
      const waiter = this.#waiting.shift()
      if (waiter === undefined) return
      const answer = this.#take(waiter.ask)
      if (isHeld(answer)) waiter.entered = answer
      waiter.settle(isHeld(answer) ? answer.admitted : answer)
    }
  }
}

const denied = (error: string): Admission => ({ok: false, status: 500, error})
const full = denied('too many calls wait for a place already (appMaxConcurrency)')
const left = denied('the caller left')
