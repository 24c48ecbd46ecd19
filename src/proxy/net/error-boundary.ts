import type {EventEmitter} from 'node:events'

/**
 * Makes an emitter an error boundary: an exception of one of its listeners goes to `caught`, with the emitted values.
 * Without it, a bug on one connection would end the process, and with it every app.
 */
export const contain = (emitter: EventEmitter, caught: (error: unknown, values: readonly unknown[]) => void): void => {
  const emit = emitter.emit.bind(emitter) as (...event: unknown[]) => boolean
  emitter.emit = (...event: unknown[]): boolean => {
    try {
      return emit(...event)
    } catch (error) {
      caught(error, event)
      return true
    }
  }
}

/** An internal error on the remote side of an adapter, on its way to the exchange. */
export class CaughtBug extends Error {
  constructor(cause: unknown) {
    super('internal error', {cause})
  }
}
