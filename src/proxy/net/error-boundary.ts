import type {EventEmitter} from 'node:events'

/** Passes exceptions of an emitter's listeners to `caught`, with the event. Otherwise a bug on one connection would end the process and every app. */
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

/** Carries an internal error of a client (`RemoteSide`) to the exchange, which ends the call with it. */
export class CaughtBug extends Error {
  constructor(cause: unknown) {
    super('internal error', {cause})
  }
}
