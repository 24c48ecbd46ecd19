import {isWithin} from '../../../platform/delay.ts'
import type {Handled} from '../pubsub.ts'

interface Holding<E> {
  /** The broker takes an event that is held longer for lost. */
  readonly holdMs: number
  readonly ready: () => Promise<void>
  readonly handle: (event: E) => Promise<Handled>
}

/** Hands what daprd delivers to the app; once it is stopped, what the app has is answered. `read` begins it, and gives what ends it. */
export function heldReader<E>(
  {holdMs, ready, handle}: Holding<E>,
  read: (deliver: (event: E) => Promise<Handled>) => () => void
): {readonly stop: () => Promise<void>} {
  const open = new Set<Promise<Handled>>()
  // a broker delivers again what is returned: one waits for the app, and not each of them
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
