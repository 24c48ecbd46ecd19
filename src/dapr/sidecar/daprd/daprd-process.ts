import {jsonIn} from '../../../model/is-json.ts'
import {isObject} from '../../../model/is-object.ts'
import type {Environment} from '../../../model/environment.ts'
import type {Exit} from '../../../model/app-state.ts'
import type {LogEntry} from '../../../model/log-entry.ts'
import {type AppPlan, LOG_LEVELS, type LogLevel} from '../../../model/plan.ts'
import {makePipes} from '../../../platform/pipes.ts'
import {AppProcess, type AppProcessOptions} from '../../../supervisor/process/app-process.ts'
import type {ProcessWatchdog} from '../../../supervisor/process/watchdog.ts'
import type {ShownPorts} from '../../../supervisor/daprd-log.ts'
import type {AppListenerOptions} from './app-listener.ts'
import type {DaprdProgram} from './find-daprd.ts'

/** Fields of each line of daprd's log that are not passed on as fields. */
const COMMON = new Set(['app_id', 'instance', 'level', 'msg', 'scope', 'time', 'type', 'ver'])

const levelOf = (word: unknown): LogLevel =>
  LOG_LEVELS.find(each => each === word) ?? (word === 'warning' ? 'warn' : 'info')

/** Converts a line of daprd's log to an entry of the sidecar's log. Lines that are not JSON, such as stack traces, count as errors. `daprd`: its version. */
export function entryOf(line: string, daprd: string): LogEntry {
  const fields = jsonIn(line)
  if (!isObject(fields)) return {level: 'error', message: line, scope: 'daprd', fields: {daprd}}
  const {level, msg, scope} = fields
  const others = Object.entries(fields).flatMap(([name, value]) =>
    COMMON.has(name) ? [] : [[name, typeof value === 'number' ? value : String(value)] as const]
  )
  return {
    level: levelOf(level),
    message: typeof msg === 'string' ? msg : line,
    scope: typeof scope === 'string' ? scope : 'daprd',
    fields: {...Object.fromEntries(others), daprd}
  }
}

export interface DaprdOptions {
  readonly program: DaprdProgram
  readonly plan: AppPlan
  /** Ports of Pillion's sidecar, for `dapr list`. Daprd itself listens on sockets in its folder. */
  readonly ports: Pick<ShownPorts, 'httpPort' | 'grpcPort'>
  readonly env: Environment
  readonly run: string
  /** The value of `PILLION_LIFE`: unique among all processes of the run. */
  readonly life: string
  /** Folder of its sockets and files, created here and removed at the end. */
  readonly folder: string
  /** The text of the file of components that daprd opens. */
  readonly components: string
  readonly listener: AppListenerOptions
  readonly watchdog: ProcessWatchdog
  /** Aborted when the app ends: a daprd that is not ready by then is ended. */
  readonly ending: AbortSignal
  /** Aborted when the run ends without a grace period. */
  readonly now: AbortSignal
  readonly log: (entry: LogEntry) => void
}

/** A process of daprd: its start, its log, and its end with all of its children. */
export class DaprdProcess {
  readonly exited: Promise<Exit>
  readonly #options: DaprdOptions
  readonly #process: AppProcess
  #ending: Promise<unknown> | undefined
  readonly #errors: string[] = []

  /** Starts daprd in the folder of the app, since components have paths relative to it. */
  static async start(options: DaprdOptions, launch: Pick<AppProcessOptions, 'command' | 'env'>): Promise<DaprdProcess> {
    const [stdio] = await makePipes(1)
    if (stdio === undefined) throw new Error('a process has one set of pipes')
    return new DaprdProcess(options, {...launch, stdio})
  }

  private constructor(options: DaprdOptions, launch: Pick<AppProcessOptions, 'command' | 'env' | 'stdio'>) {
    this.#options = options
    const {plan, life, watchdog} = options
    this.#process = new AppProcess({
      ...launch,
      folder: plan.folder,
      input: undefined,
      isRaw: false,
      marker: `PILLION_LIFE=${life}`,
      take: (_, text) => this.#take(text)
    })
    watchdog.watch(this.#process.group)
    this.exited = this.#process.group.exited
  }

  /** Errors that daprd logged, the latest first. */
  get errors(): readonly string[] {
    return this.#errors.toReversed()
  }

  /** Time since its start, or until its exit, in ms. */
  get livedMs(): number {
    const {from, to} = this.#process.lived
    return to - from
  }

  /** Ends daprd: sends TERM, and after the grace period KILL. Settles when all of its processes are gone. */
  async end(): Promise<void> {
    this.#ending ??= this.#process.end({
      stop: {...this.#options.plan.stop, signal: 'SIGTERM', scope: 'all'},
      isSuccess: false,
      now: this.#options.now,
      ended: () => undefined
    })
    await this.#ending
    this.#options.watchdog.forget(this.#process.group)
  }

  #take(text: string): undefined {
    for (const line of Buffer.from(text, 'latin1').toString().split('\n')) {
      if (line === '') continue
      const entry = entryOf(line, this.#options.program.version)
      if (entry.level === 'error' || entry.level === 'fatal') this.#errors.push(entry.message)
      if (this.#errors.length > MAX_ERRORS) this.#errors.shift()
      this.#options.log(entry)
    }
  }
}

const MAX_ERRORS = 20
