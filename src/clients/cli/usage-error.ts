import {UserError} from '../../model/errors.ts'

/** A mistake on the command line: exit code 255, followed by the usage (as in cobra). */
export class UsageError extends Error {}

/** Reads what was typed; a mistake in it is one of usage. */
export function readTyped<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof UserError ? new UsageError(`${error.message}. ${error.explanation}`) : error
  }
}
