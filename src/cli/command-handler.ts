import type {GivenFlags} from './flags.ts'

/** A command as it was called. */
export interface CommandContext {
  readonly flags: GivenFlags
  /** The words that are not flags. */
  readonly words: readonly string[]
  readonly asJson: boolean
}

/** Does a command; the number is the exit code. */
export type CommandHandler = (call: CommandContext) => Promise<number>
