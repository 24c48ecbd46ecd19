import type {EventEmitter} from 'node:events'
import {messageOf} from '../model/errors.ts'

/** What the log says of a bug of ours that one connection ran into. */
export const bugText = (error: unknown): string =>
  `internal error, its connection was closed: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`

/**
 * Makes an emitter a boundary: what one of its listeners throws goes to `caught`, with what was emitted, and no further.
 * Otherwise one connection that runs into a bug of ours would end the process, and with it every app.
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

/** A bug of ours on the far side of an adapter, on its way to the one that carries the call. */
export class CaughtBug extends Error {
  constructor(cause: unknown) {
    super('internal error', {cause})
  }
}
