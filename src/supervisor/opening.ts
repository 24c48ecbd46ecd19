import type {Launch} from '../model/api.generated.ts'
import {exitOf, succeeded, type AppState} from '../model/app-state.ts'
import {WAITS_FOR_SAVE} from '../model/exit-text.ts'
import {systemClock} from '../platform/clock.ts'
import type {ProcessPipes} from '../platform/pipes.ts'
import type {AppPipeline} from '../proxy/gateway/admission.ts'
import type {CalleeCounters} from '../proxy/gateway/callee-counters.ts'
import type {CallerIdentity} from '../proxy/gateway/caller-header.ts'
import type {AccessControlInterceptor} from '../proxy/gateway/interceptors/access-control.ts'
import type {SidecarPorts} from '../proxy/ports/claim.ts'
import type {AppRuntimeOptions, OpeningOptions} from './app-runtime-options.ts'
import {AppSleep, type Sleeper} from './app-sleep.ts'
import {ExitReporter} from './exit-reporter.ts'
import {LifecycleLog, type Logs} from './lifecycle-log.ts'
import {Program} from './program.ts'
import {RuntimeStatus} from './runtime-status.ts'

interface OpenedApp extends Sleeper {
  readonly id: string
  readonly name: string
  readonly appPort: number
  readonly pid: number
}

/** `moved`: called when the state of the current process has changed. `otherMoved`: called for a candidate or a previous process. */
interface Moves {
  readonly moved: (state: AppState) => void
  readonly otherMoved: () => void
}

/**
 * The part of an app that is new at each opening of its sidecar: at the start of the run, by an edit, or by a start after a stop. The sidecar
 * sets the fields that calls need. An old sidecar may close after the next one has opened, so that each has an opening of its own.
 */
export class Opening {
  readonly status: RuntimeStatus
  readonly program: Program
  readonly exits: ExitReporter
  readonly sleep: AppSleep
  readonly ports: SidecarPorts
  readonly logs: Logs
  readonly environment: OpeningOptions['environment']
  /** Time of the opening, in ms since 1970. */
  readonly createdAt = systemClock.date()
  /** Reasons why the app cannot be started, by the part at fault; '': corrected. Each may be corrected while the app waits. */
  readonly faults = new Map<'configuration' | 'httpPipeline' | 'appHttpPipeline' | 'components', string>()
  accessControl: AccessControlInterceptor | undefined
  identity: CallerIdentity | undefined
  counters: CalleeCounters | undefined
  pipeline: AppPipeline | undefined
  /** Returns whether the sidecar serves the app's topics and bindings; undefined: the sidecar has not opened. */
  isServed: (() => boolean) | undefined
  /** Returns how API calls to the sidecar are logged; undefined: they are not. */
  apiLog: (() => {readonly obfuscatesUrls: boolean} | undefined) | undefined
  /** Whether the sidecar does not ask the app for its topics and actors, since no app of the run uses Dapr. */
  isUnasked: boolean
  /** Length of the log when the current process was started, in characters. */
  logStart = 0
  /** Ports at which the process listens, for a template that names none. */
  listens: readonly number[] = []
  readonly #lifecycleLog: LifecycleLog
  readonly #app: OpenedApp
  readonly #of: AppRuntimeOptions

  constructor(app: OpenedApp, of: AppRuntimeOptions, {plan, ports, logs, ...options}: OpeningOptions, moves: Moves) {
    this.#app = app
    this.#of = of
    this.ports = ports
    this.logs = logs
    this.environment = options.environment
    this.isUnasked = plan.isPlain === true
    this.status = new RuntimeStatus(plan)
    this.#lifecycleLog = new LifecycleLog(app.name, logs)
    this.exits = new ExitReporter(app.name, this.#lifecycleLog, of)
    const {environment, person: starter} = options
    const own = {environment, starter, lines: logs.app.sink, plan: () => app.plan}
    this.program = new Program({...of, ...own, ...moves}, plan, ports.appPort)
    this.sleep = options.openSleep?.(app, () => this.status.starting()) ?? new AppSleep(app, 'never')
  }

  async start(pipes: ProcessPipes | undefined): Promise<void> {
    const {plan, appPort} = this.#app
    const wasAsleep = this.sleep.isAsleep
    this.status.starting()
    if (!wasAsleep) this.#lifecycleLog.starting(plan, appPort, this.ports)
    await this.program.start(pipes)
    this.#lifecycleLog.started(this.#app.plan, this.#app.pid, this.apiLog?.())
  }

  /** Leaves the app without a process until it is needed. */
  startAsleep(): void {
    this.#lifecycleLog.starting(this.#app.plan, this.#app.appPort, this.ports)
    this.program.sleep()
  }

  /** Logs that the sidecar is initialized, once sidecar and app are ready. */
  noteReady(): void {
    const {state} = this.program.app
    const isReady = state.phase === 'running' && state.ready && this.isServed?.() !== false
    if (isReady) this.#lifecycleLog.ready(this.#app.appPort)
  }

  /** Reports the exit of a process that nothing requested, unless the whole run is stopping. */
  report(state: AppState): void {
    if (this.#lifecycleLog.runEnds) return
    const {name, plan, appPort} = this.#app
    const {app, marker} = this.program
    const exit = exitOf(state)
    if (exit !== undefined) {
      const searchPath = (): string => this.environment(marker, plan, appPort)['PATH'] ?? ''
      this.exits.report(exit, {plan, app, loop: this.status.loop, searchPath})
    }
    if (state.phase === 'backoff' && state.until === Infinity && succeeded(state.last))
      this.#of.reporter.warn('restart-waits-for-change', `"${name}" ${WAITS_FOR_SAVE}`)
  }

  /** Returns folder, command and environment (without the markers) of a process that would start now. */
  async launch(): Promise<Omit<Launch, 'added'>> {
    const {id, plan, appPort} = this.#app
    const {PILLION_RUN: _run, PILLION_LIFE: _life, ...environment} = this.environment('', plan, appPort)
    const command = this.#of.wordsOf?.(plan.command) ?? plan.command
    return {appId: id, folder: await this.#of.folderOf(plan), command, appPort, environment}
  }

  /** Announces the end of the whole run in the logs. */
  announceEnd(): void {
    this.#lifecycleLog.announceEnd(this.program.marker !== '')
  }

  /** Writes the last lines of the logs and closes them. */
  async closeLogs(): Promise<void> {
    await this.#lifecycleLog.close(this.program.app.state, this.program.marker !== '')
  }
}
