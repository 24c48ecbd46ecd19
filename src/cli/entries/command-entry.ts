import type {CommandHandler} from '../command-handler.ts'
import type {CommandWords} from '../help.ts'

/** A command, as the line and the help know it; its code is loaded when it is called. */
export interface CommandEntry extends CommandWords {
  /** Flags that must be given. */
  readonly required?: readonly string[]
  readonly load: () => Promise<CommandHandler>
  /** The same with `--kubernetes`. */
  readonly loadKubernetes?: () => Promise<CommandHandler>
}
