import {within} from '../../../platform/delay.ts'

/** Hands what daprd delivers to the app, and knows what it has not answered yet. */
export class HeldReader {
  readonly #open = new Set<Promise<unknown>>()

  /** Resolves with 'returned' if the app is not ready within `holdMs`: the broker takes an event that is held longer for lost. */
  async handle<T>(holdMs: number, ready: () => Promise<void>, handle: () => Promise<T>): Promise<T | 'returned'> {
    const isReady = await within(
      holdMs,
      ready().then(() => true)
    )
    if (isReady === undefined) return 'returned'
    const handled = handle()
    this.#open.add(handled)
    try {
      return await handled
    } finally {
      this.#open.delete(handled)
    }
  }

  /** Settles when the app has answered everything. */
  async answered(): Promise<void> {
    await Promise.all(this.#open)
  }
}
