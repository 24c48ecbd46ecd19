import type {ListensAt} from '../../imported.ts'
import type {ProgramVariables} from '../../reading/variables.ts'

/** How the projects of one language are found in a folder. */
export interface ProjectReader {
  /** The programs that the project files of a folder make. `env`: variables that they get. */
  readonly startsIn: (folder: string, env: ProgramVariables) => readonly ProjectStart[]
  /** Why a folder with such files makes no program; '': it has none of them. */
  readonly reasonOf: (folder: string) => string
}

/** How a project starts. */
export interface ProjectStart {
  readonly command: readonly string[]
  /** The app's; by default, the name of the folder. */
  readonly id?: string
  /** Its working directory; by default, the folder of the project. */
  readonly folder?: string
  readonly env?: ProgramVariables
  /** Whether a script for development names it. */
  readonly isNamed?: boolean
  /** Port of the program, if its command does not show it. */
  readonly found?: ListensAt
  readonly notes?: readonly string[]
}
