import type {Environment} from '../model/environment.ts'
import type {WorkMode} from '../work/work-path.ts'
import type {Readable} from 'node:stream'
import type {Emit} from '../model/events.ts'
import type {LogEntry} from '../model/log-entry.ts'
import type {Plan} from '../model/plan.ts'
import type {ConsoleOutput} from '../observe/logging/console.ts'
import type {ConsoleView} from '../observe/logging/app-log.ts'
import type {Write} from '../observe/logging/raw-log.ts'
import type {Hint} from '../model/reporter.ts'

export interface RunOptions {
  readonly plan: Plan
  /** The environment of Pillion itself. */
  readonly env: Environment
  readonly form: TemplateMode | Single
  readonly output: ConsoleOutput
  /** Whether the colours of the apps are kept. */
  readonly isTerminal: boolean
  /** Log lines of the sidecars are JSON (`--log-as-json`). */
  readonly isJson?: boolean
  readonly emit: Emit
  /** Returns warnings about the template since the last call. Called after the start lines, and after each edit. */
  readonly hints?: (() => readonly Hint[]) | undefined
  /** Reads the template again after an edit (`--watch`). Rejects with a `UserError`. */
  readonly reread?: (() => Promise<Plan>) | undefined
  /** Time of reading the template, in ms since 1970: a later save is an edit. Default: now. */
  readonly readAt?: number | undefined
  /** Whether workflows, actors and jobs outlive the run. Default: they do. */
  readonly workMode?: WorkMode | undefined
  /** Ids of apps that are left to the user to start (`--except`). */
  readonly excepted?: ReadonlySet<string> | undefined
}

/** The apps of a template: prefixed lines, log files. */
export interface TemplateMode {
  readonly kind: 'template'
  /** The prefix of an app's lines on the console; undefined: the default. */
  readonly prefixOf: (id: string, index: number) => string | undefined
  /** Selects the lines on the console, and adds times; omitted: all lines, without times. */
  readonly view?: ConsoleView | undefined
}

/** An app from the command line: its output is passed through, and it reads the stdin of Pillion. */
export interface Single {
  readonly kind: 'single'
  readonly input: Readable
  readonly err: Write
  /** Whether a line of its sidecar is printed. */
  readonly shows: (entry: LogEntry) => boolean
}
