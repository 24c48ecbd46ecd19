// Runs long tasks one per turn of the event loop, so that other work runs between any two of them.

const reads: (() => boolean)[] = []

/** Continues reading in a later turn, in order. `read` returns whether there was work. */
export const readInOwnTurn = (read: () => boolean): void => {
  if (reads.push(read) === 1) setImmediate(nextRead)
}

const nextRead = (): void => {
  let taken = 0
  for (const read of reads) {
    taken++
    if (read()) break
  }
  reads.splice(0, taken)
  if (reads.length > 0) setImmediate(nextRead)
}

/** Pause between two bodies, in ms, in which other calls continue: a call needs several turns. */
const APART_MS = 10

const bodies: (() => void)[] = []

/** Resolves when it is the turn of a large body, some ms after the previous one. */
export const bodyTurn = async (): Promise<void> =>
  new Promise(resolve => {
    if (bodies.push(resolve) === 1) setImmediate(nextBody)
  })

const nextBody = (): void => {
  bodies[0]?.()
  // the work follows in this turn
  setImmediate(() => setTimeout(afterBody, APART_MS))
}

const afterBody = (): void => {
  bodies.shift()
  if (bodies.length > 0) nextBody()
}
/** Maximum number of requests of one connection to serve in one turn of the event loop. */
export const PER_TURN = 16

let turn = 1
let isScheduled = false

const nextTurn = (): void => {
  turn++
  isScheduled = false
}

/**
 * Limits the share of one connection in a turn of the event loop: a caller that sends thousands of requests ahead delays no other. A single timer counts the turns for all connections.
 */
export class TurnShare {
  /** Whether a request waits for the next turn. */
  isWaiting = false
  #turn = 0
  #served = 0

  /** Whether another request may be served in this turn. If not, calls `retry` in the next one. */
  take(retry: () => void): boolean {
    if (!isScheduled) {
      isScheduled = true
      setImmediate(nextTurn)
    }
    if (this.#turn !== turn) {
      this.#turn = turn
      this.#served = 0
    }
    if (this.#served < PER_TURN) {
      this.#served++
      return true
    }
    if (!this.isWaiting) {
      this.isWaiting = true
      setImmediate(() => {
        this.isWaiting = false
        retry()
      })
    }
    return false
  }
}
