import type {Published} from '../world.ts'

/** `kill -9` of the run may lose what it has answered within the last 50 ms (building-blocks.md); a busy machine is late. */
export const MAY_BE_LOST_MS = 1000

interface Kept extends Pick<Published, 'number' | 'from' | 'to'> {
  /** When it was acknowledged. */
  readonly at: number
}

/** Events at the Redis for which the run stands in: they outlive the run, and wait until whom they are for runs. */
export class KeptEvents {
  /** Those that are not dealt with. */
  #waiting: readonly Kept[] = []
  /** Numbers of those that have come; whom they are for may have ended before it answered. */
  readonly #come = new Set<string>()
  readonly #done = new Set<string>()

  /** It was acknowledged. */
  add(event: Pick<Published, 'number' | 'from' | 'to'>): void {
    this.#waiting = [...this.#waiting, {...event, at: performance.now()}]
  }

  /** The run was killed. */
  killed(): void {
    const now = performance.now()
    this.#waiting = this.#waiting.filter(({at}) => now - at > MAY_BE_LOST_MS)
  }

  /** What has not come to an app that runs, and what comes once more although it was dealt with; a sentence each. */
  broken(received: readonly string[], running: ReadonlySet<string>): readonly string[] {
    const lost = this.#waiting.filter(
      ({number, to}) => running.has(to) && !received.includes(number) && !this.#come.has(number)
    )
    const again = received.filter(number => this.#done.has(number))
    return [
      ...lost.map(({number, from, to}) => `event ${number} from ${from} to ${to} was acknowledged, and has not come`),
      ...again.map(number => `event ${number} was dealt with, and has come again`)
    ]
  }

  /** All rests. What an app got that does not run now may come to it again. */
  settle(received: readonly string[], running: ReadonlySet<string>): void {
    for (const number of received) this.#come.add(number)
    for (const {number, to} of this.#waiting) if (running.has(to) && this.#come.has(number)) this.#done.add(number)
    this.#waiting = this.#waiting.filter(({number}) => !this.#done.has(number))
  }
}
