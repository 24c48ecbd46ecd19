import type {GivenFlags} from './given-flags.ts'

/** The arguments of a command. */
export interface CommandContext {
  readonly flags: GivenFlags
  /** The arguments that are not flags. */
  readonly words: readonly string[]
  readonly asJson: boolean
}

/** Runs a command and returns the exit code. */
export type CommandHandler = (call: CommandContext) => Promise<number>
