import type {EventEmitter} from 'node:events'

/**
 * Makes an emitter an error boundary: exceptions of its listeners go to `caught`, with the emitted values. Otherwise a bug on one
 * connection would end the process and every app.
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
