import {isWithin} from '../../../platform/delay.ts'
import type {Handled} from '../pubsub.ts'

interface Holding<E> {
  /** The broker takes an event that is held longer for lost. */
  readonly holdMs: number
  readonly ready: () => Promise<void>
  readonly handle: (event: E) => Promise<Handled>
}

/** Hands daprd's deliveries to the app. After its stop open deliveries are still answered. `read` begins it, and returns the function that ends it. */
export function heldReader<E>(
  {holdMs, ready, handle}: Holding<E>,
  read: (deliver: (event: E) => Promise<Handled>) => () => void
): {readonly stop: () => Promise<void>} {
  const open = new Set<Promise<Handled>>()
  // a broker delivers a returned event again: one event waits for the app, not each
  let waiting: Promise<void> | undefined
  const isReady = async (): Promise<void> => (waiting ??= ready().finally(() => (waiting = undefined)))
  const end = read(async event => {
    if (!(await isWithin(holdMs, isReady()))) return 'returned'
    const handled = handle(event)
    open.add(handled)
    return handled.finally(() => open.delete(handled))
  })
  return {
    stop: async () => {
      end()
      await Promise.all(open)
    }
  }
}
