import {statusOf} from './status-of.ts'

interface Due {
  readonly number: string
  readonly kind: 'job' | 'reminder'
  readonly app: string
  readonly at: number
}

/** Jobs and reminders that were acknowledged: they outlive the run, and wait until their host runs. Each comes once. */
export class DueWork {
  /** Those that are not dealt with. */
  #waiting: readonly Due[] = []
  /** Numbers of those that have come; their host may have ended before it answered. */
  readonly #come = new Set<string>()
  readonly #done = new Set<string>()

  /** `base`: the address of the sidecar of the app. */
  async plan(
    base: string,
    {kind, from: app, afterMs, number}: Pick<Due, 'kind' | 'number'> & {readonly from: string; readonly afterMs: number}
  ): Promise<void> {
    const path = kind === 'job' ? `jobs/${number}` : `actors/host-${app}/1/reminders/${number}`
    const dueTime = `${afterMs}ms`
    const status = await statusOf(`${base}/v1.0/${path}`, JSON.stringify({dueTime}))
    if (status >= 200 && status < 300)
      this.#waiting = [...this.#waiting, {number, kind, app, at: performance.now() + afterMs}]
  }

  /** What has not come to a host that runs, and what comes once more although it was dealt with; a sentence each. */
  broken(fired: readonly string[], running: ReadonlySet<string>): readonly string[] {
    const now = performance.now()
    const lost = this.#waiting.filter(
      ({number, app, at}) => at < now && running.has(app) && !fired.includes(number) && !this.#come.has(number)
    )
    const again = fired.filter(number => this.#done.has(number))
    return [
      ...lost.map(({number, kind, app}) => `the ${kind} ${number} of ${app} is due, and has not come`),
      ...again.map(number => `${number} was dealt with, and has come again`)
    ]
  }

  /** All rests. What a host got that does not run now may come to it again. */
  settle(fired: readonly string[], running: ReadonlySet<string>): void {
    for (const number of fired) this.#come.add(number)
    for (const {number, app} of this.#waiting) if (running.has(app) && this.#come.has(number)) this.#done.add(number)
    this.#waiting = this.#waiting.filter(({number}) => !this.#done.has(number))
  }
}
