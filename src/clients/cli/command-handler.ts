import type {GivenFlags} from './given-flags.ts'
import {UserError} from '../../model/errors.ts'

/** A mistake on the command line: exit code 255, followed by the usage (as in cobra). */
export class UsageError extends Error {}

/** Runs a function that parses typed words. Throws a UserError of it as a UsageError. */
export function readTyped<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof UserError ? new UsageError(`${error.message}. ${error.explanation}`) : error
  }
}

export interface CommandContext {
  readonly flags: GivenFlags
  /** The arguments that are not flags. */
  readonly words: readonly string[]
  readonly asJson: boolean
}

/** Runs a command and returns the exit code. */
export type CommandHandler = (call: CommandContext) => Promise<number>
