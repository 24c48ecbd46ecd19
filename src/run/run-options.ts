import type {Readable} from 'node:stream'
import type {Emit} from '../model/events.ts'
import type {ConsoleOutput} from '../logging/console.ts'
import type {ConsoleView} from '../logging/console-view.ts'
import type {Write} from '../logging/raw-log.ts'
import type {Plan} from '../model/plan.ts'
import type {WarningCode} from '../model/reporter.ts'

/** What a run is made of. */
export interface RunOptions {
  readonly plan: Plan
  /** The environment that we were started in. */
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly form: Template | Single
  readonly output: ConsoleOutput
  /** Colours of the apps are kept. */
  readonly isTerminal: boolean
  /** Lines of the sidecars are objects (`--log-as-json`). */
  readonly isJson?: boolean
  readonly emit: Emit
  /** What the template is to be warned about. Asked once, when the start lines are out. */
  readonly hints?: (() => readonly Hint[]) | undefined
  /** Reads the template again (`--watch`), for a run that follows its edits. Throws a `UserError`. */
  readonly reread?: (() => Plan) | undefined
  /** Ids of apps whose first process is somebody else's, who starts it in a debugger. */
  readonly debugged?: ReadonlySet<string> | undefined
}

/** A warning that is known before anything starts. */
export interface Hint {
  readonly code: WarningCode
  readonly text: string
}

/** The apps of a template: prefixed lines, log files. */
export interface Template {
  readonly kind: 'template'
  /** The prefix of an app's lines on the console; undefined: the plain one. */
  readonly prefixOf: (id: string, index: number) => string | undefined
  /** Which lines are shown there, and whether with times; left out: all, without. */
  readonly view?: ConsoleView | undefined
}

/** One app from the command line: its bytes as they come, and our input is its. */
export interface Single {
  readonly kind: 'single'
  readonly input: Readable
  readonly err: Write
}
