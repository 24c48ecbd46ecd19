import type {ProcessPipes} from '../platform/pipes.ts'
import type {Supervised} from './process/supervised.ts'
import type {Launch} from '../model/api.generated.ts'
import type {SidecarInfo} from '../model/events.ts'
import {instanceName, maySleep, versionedName, type AppPlan} from '../model/plan.ts'
import {exitOf, succeeded, type AppState, type Why} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'
import {WAITS_FOR_SAVE} from '../model/exit-text.ts'
import type {Pool} from '../proxy/net/pool.ts'
import {systemClock} from '../platform/clock.ts'
import {freeAppPort} from '../proxy/ports/app-port.ts'
import {ownAppPorts} from '../proxy/ports/usual-ports.ts'
import type {ApiLogging} from '../files/resources/api-logging.ts'
import type {CalleeCounters} from '../proxy/gateway/callee-counters.ts'
import type {Callee} from '../proxy/gateway/local-apps.ts'
import {LifecycleLog, type Logs} from './lifecycle-log.ts'
import {AppChannel} from '../proxy/gateway/app-channel.ts'
import {availabilityOf} from './availability-of.ts'
import type {AdmissionQueue} from '../proxy/gateway/admission-queue.ts'
import {ExitReporter} from './exit-reporter.ts'
import {noProgress, type Progress} from './order/progress.ts'
import type {Candidate} from './reload/overlap.ts'
import {reached} from './reload/reached.ts'
import type {SidecarPorts} from '../proxy/ports/claim.ts'
import {Program} from './program.ts'
import type {AppRuntimeOptions} from './app-runtime-options.ts'
import {whyNotRunning} from './messages/why-not-running.ts'
import {listedApp} from './listed-app.ts'
import {RuntimeStatus} from './runtime-status.ts'
import type {AppPipeline} from '../proxy/gateway/admission.ts'
import type {AccessControlInterceptor} from '../proxy/gateway/interceptors/access-control.ts'
import {AWAKE, type Sleep} from './sleep.ts'
import type {CallerIdentity} from '../proxy/gateway/caller-header.ts'
import type {ConcurrencyLimiter} from '../proxy/gateway/concurrency-limiter.ts'

/** Number of short runs in a row after which calls are rejected. */
const MAX_SHORT_RUNS = 5
/**
 * The minimum time between two checks of a ready app, in ms. If its port refuses connections all the same, each check would make
 * the sidecar ask the app its questions again, which are refused, and lead to the next check.
 */
const RECHECK_EVERY_MS = 250

/** One app in a run: its processes, the channel for calls to it, and its logs. */
export class AppRuntime implements Callee {
  accessControl: AccessControlInterceptor | undefined
  identity: CallerIdentity | undefined
  /** Why it cannot be started, by what is at fault; each may be corrected while the app waits. */
  readonly faults = new Map<'configuration' | 'httpPipeline' | 'appHttpPipeline' | 'components', string>()
  /** The plan of its next process: an edit of the template changes it at once. */
  wanted: AppPlan
  /** When it joined the run, in ms since 1970: before its first process. */
  readonly createdAt = systemClock.date()
  readonly ports: SidecarPorts
  readonly token: string
  readonly logs: Logs
  counters: CalleeCounters | undefined
  /** Its sidecar does not ask it yet what it reads and hosts. */
  isUnasked: boolean
  isServed: (() => boolean) | undefined // whether its sidecar reads what the app has subscribed to
  /** How calls to its sidecar are logged; undefined: they are not. */
  apiLog: (() => ApiLogging | undefined) | undefined
  pipeline: AppPipeline | undefined
  /** The terminal of its processes; undefined before the first process with one. */
  readonly terminal = (): Program['terminal'] => this.#program.terminal
  readonly ended = async (): Promise<void> => this.#program.ended()
  readonly exitedAt = () => exitOf(this.app.state) && this.#status.movedAt.getTime() // by itself, in ms since 1970
  readonly stopNow = (): void => this.#program.stopNow()
  readonly renewPool = (): void => this.#channel.renewPool()
  /** Called when the whole run is stopping. */
  readonly announceEnd = (): void => this.#lifecycleLog.announceEnd(this.#program.marker !== '')
  readonly closeLogs = async (): Promise<void> => this.#lifecycleLog.close(this.app.state, this.#program.marker !== '')
  readonly cutCalls = (why?: string): void => this.#channel.cut(why)
  readonly sleep: Sleep
  readonly #channel: AppChannel
  readonly #lifecycleLog: LifecycleLog
  readonly #options: AppRuntimeOptions
  #plan: AppPlan
  readonly #program: Program
  readonly #exits: ExitReporter
  readonly #listeners = new Set<() => void>()
  readonly #status: RuntimeStatus
  #recheckedAt = -Infinity // performance.now()
  #isExcepted = false
  isReopened = false // an edit closes it, and opens another one in its place: who waits for it waits for that
  logStart = 0 // the length of its log when its current process was started, in characters
  listens: readonly number[] = [] // ports of its process, where the template names none

  constructor(options: AppRuntimeOptions) {
    const {plan, ports, logs, token, explain} = options
    this.#options = options
    this.#plan = plan
    this.wanted = plan
    this.isUnasked = plan.isPlain === true
    this.ports = ports
    this.logs = logs
    this.#lifecycleLog = new LifecycleLog(this.name, logs)
    this.token = token
    this.#exits = new ExitReporter(this.name, this.#lifecycleLog, options)
    this.#channel = new AppChannel({
      plan,
      appPort: ports.appPort,
      explain,
      onWait: call => this.sleep.onWait(call),
      healthChanged: isHealthy => {
        this.#exits.reportHealth(isHealthy, this.#plan)
        this.#listeners.forEach(listener => listener())
      },
      probed: (status, elapsedMs) => this.counters?.probed(status, elapsedMs),
      invoked: invocation => this.counters?.invoked(invocation),
      isAwaited: logs.isContinued || maySleep(plan)
    })
    this.#status = new RuntimeStatus(plan)
    const own = {sleep: () => this.#program.sleep(), starting: () => this.#status.starting()}
    this.sleep = options.openSleep?.(this, own) ?? AWAKE
    this.#program = new Program(
      {
        ...options,
        lines: logs.app.sink,
        plan: () => this.#plan,
        moved: state => this.#moved(state),
        otherMoved: () => this.#listeners.forEach(listener => listener())
      },
      plan,
      ports.appPort
    )
    this.#isExcepted = options.isExcepted ?? false
    this.#channel.isDebugged = this.isDebugged
    this.#channel.hasPatience = this.isDebugged && !this.#isExcepted
    this.queue.hold(this.#reason({phase: 'idle'}))
  }

  /** Why it cannot be started; '' = it can. */
  get fault(): string {
    return [...this.faults.values()].find(why => why !== '') ?? ''
  }

  get id(): string {
    return this.plan.id
  }

  /** Its name for people: the id, with a number if it is not the first instance. */
  get name(): string {
    return instanceName(this.id, this.plan.instance)
  }

  /** Its name among the instances of all versions: an edit may end one version and begin another at once. */
  get home(): string {
    return versionedName({name: this.name, version: this.plan.version})
  }

  /** Whether a command names this app: by the id, which names all instances, or with a number, `name.1`. */
  isCalled(name: string): boolean {
    return name === this.id || name === `${this.id}.${this.plan.instance}`
  }

  get plan(): AppPlan {
    return this.#plan
  }

  get app(): Supervised {
    return this.#program.app
  }

  get appPort(): number {
    return this.#channel.appPort
  }

  get queue(): AdmissionQueue {
    return this.#channel.queue
  }

  get limiter(): ConcurrencyLimiter {
    return this.#channel.limiter
  }

  get isUnhealthy(): boolean {
    return this.#channel.isUnhealthy
  }

  get sidecar(): SidecarInfo {
    const {httpPort, grpcPort} = this.ports
    return {id: this.id, httpPort, grpcPort, appPort: this.appPort, command: this.plan.command}
  }

  get pool(): Pool {
    return this.#channel.pool
  }

  get pid(): number {
    const {state} = this.app
    return 'pid' in state ? (state.pid ?? 0) : 0
  }

  /** The starts of its living processes, first that of the current one, in ms of performance.now(); 0: we did not start it. */
  get lives(): readonly number[] {
    return this.#program.lives
  }

  get progress(): Progress {
    return this.isReopened ? noProgress(this.id, this.plan.command.length > 0) : this.#status.progress
  }

  /** Whether its process accepts calls, or it has no port for them; whether calls are sent is another matter (`availability`). */
  get isListening(): boolean {
    const {state} = this.app
    return this.appPort === 0 || (state.phase === 'running' && state.ready)
  }

  /** Whether it can be used, unless the user has stopped it (`Apps.availabilityOf`). */
  get availability(): Availability {
    return availabilityOf(this)
  }

  /** A connection was refused: looks again whether it listens. */
  recheck(): void {
    const now = performance.now()
    if (now - this.#recheckedAt < RECHECK_EVERY_MS) return
    this.#recheckedAt = now
    this.app.recheck()
  }

  /** An app of the run uses Dapr: its sidecar asks it from now on. */
  ask(): void {
    this.isUnasked = false
    this.#listeners.forEach(listener => listener())
  }

  onMove(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether its process was started, or is just about to be. */
  get hasStarted(): boolean {
    return this.#program.hasStarted
  }

  /** Puts the wanted plan into effect; its process continues, as nothing of it has changed. */
  adopt(): void {
    this.#plan = this.wanted
  }

  async replace(why: Why): Promise<void> {
    this.adopt()
    this.#channel.follow(this.#plan)
    // the latest result counts, also for dependents that wait
    if (this.hasEnded) this.#status.reset(this.#plan)
    else this.#status.replaced()
    await this.#program.replace(this.#plan, this.appPort, why)
  }

  async candidate(): Promise<Candidate> {
    const whose = `the new process of "${this.name}"`
    const port = await freeAppPort(new Set([this.appPort]), {whose, wanted: ownAppPorts(this.ports.httpPort)})
    const program = this.#program
    const logStart = this.logs.app.record.length
    const app = program.candidate(this.#plan, port)
    return {
      app,
      ready: async signal => reached(app, signal, listener => this.onMove(listener)),
      healthy: async signal => this.#channel.isHealthyAt(port, signal),
      drop: async () => program.drop(app, 'watch'),
      promote: () => {
        const old = program.promote(app)
        this.logStart = logStart
        this.#status.promoted()
        return {cut: this.#channel.switchTo(port), stop: async () => program.drop(old, 'watch')}
      }
    }
  }

  /** Rejects new calls. Resolves with true when the calls in flight have finished, with false when the signal is aborted. */
  async drained(late: AbortSignal): Promise<boolean> {
    this.queue.close(`"${this.id}" is being stopped`)
    return this.queue.drained(late)
  }

  /** Stops all its processes; settles when nothing is left. */
  async stop(why: Why): Promise<AppState> {
    this.#channel.end()
    return this.#program.stop(why)
  }

  /** Whether `--except` has left it to the user, who has not started it since. */
  get isExcepted(): boolean {
    return this.#isExcepted
  }

  /** Whether the user starts its process in a debugger. */
  get isDebugged(): boolean {
    return this.#program.isDebugged
  }

  /** Sets whether its next process is started in a debugger; takes effect with `replace`. */
  debug(isDebugged: boolean): void {
    this.#isExcepted = false
    this.#program.isDebugged = isDebugged
    this.#channel.hasPatience = isDebugged
    this.#channel.isDebugged = isDebugged
  }

  /** Whether the current process has exited and is not restarted automatically. */
  get hasEnded(): boolean {
    return this.#program.hasEnded
  }

  async start(pipes: ProcessPipes | undefined): Promise<void> {
    const wasAsleep = this.sleep.isAsleep
    this.#status.starting()
    if (!wasAsleep) this.#lifecycleLog.starting(this.plan, this.appPort, this.ports)
    await this.#program.start(pipes)
    this.#lifecycleLog.started(this.plan, this.pid, this.apiLog?.())
  }

  /** Leaves it without a process until something needs one. */
  startAsleep(): void {
    this.#lifecycleLog.starting(this.plan, this.appPort, this.ports)
    this.#program.sleep()
  }

  /** Notes that it waits for the apps `ids`; `why` completes "it waits until …". Calls to it are queued. */
  waits(why: string, ids: readonly string[]): void {
    this.#status.waits(this.plan, why, ids)
    this.queue.hold(this.obstacle)
  }

  /** Why it has not been started; '' if it was started or will be. */
  get obstacle(): string {
    return this.#status.obstacle
  }

  /** Whether it was not started because a dependency is not met. */
  get isGivenUp(): boolean {
    return this.#status.isGivenUp
  }

  /** Resets an app that has exited or was given up to the state before its first start. */
  reset(): void {
    this.adopt()
    this.#channel.follow(this.#plan)
    this.#status.reset(this.#plan)
    this.#program.reset(this.#plan, this.appPort)
    this.queue.hold(this.#reason({phase: 'idle'}))
  }

  /** Gives it up until its dependency is started: calls are rejected with this reason. */
  async giveUp(why: string): Promise<void> {
    this.#status.giveUp(why, this.sleep.isAsleep)
    if (!this.sleep.isAsleep) return this.app.stop('user')
    this.queue.shut(why)
    this.queue.hold(this.#reason(this.app.state)) // its next call tries again
    this.sleep.onMove()
    this.#listeners.forEach(listener => listener())
  }

  /** The folder, command and complete environment (without markers) of a process that would start now. */
  async launch(): Promise<Omit<Launch, 'added'>> {
    const all = this.#options.environment('', this.#plan, this.appPort)
    const {PILLION_RUN: _run, PILLION_LIFE: _life, ...environment} = all
    const folder = await this.#options.folderOf(this.#plan)
    return {appId: this.id, folder, command: this.#plan.command, appPort: this.appPort, environment}
  }

  listing(): ReturnType<typeof listedApp> {
    const {startedAt, waitsFor, loop} = this.#status
    const restarts = Math.max(0, this.#program.starts - 1)
    return listedApp(this, {createdAt: this.createdAt, startedAt, restarts, waitsFor, loop})
  }

  /** Logs that the sidecar is initialized as soon as it and its app are ready. */
  noteReady(): void {
    const {state} = this.app
    if (state.phase === 'running' && state.ready && this.isServed?.() !== false) this.#lifecycleLog.ready(this.appPort)
  }

  #moved(state: AppState): void {
    this.#status.moved(state)
    if (state.phase === 'starting') this.logStart = this.logs.app.record.length
    this.#channel.update(state, {isCrashLooping: this.app.shortRuns >= MAX_SHORT_RUNS, why: this.#reason(state)})
    this.sleep.onMove()
    this.noteReady()
    const exit = exitOf(state)
    if (exit !== undefined && !this.#lifecycleLog.runEnds)
      this.#exits.report(exit, {
        plan: this.plan,
        app: this.app,
        loop: this.#status.loop,
        searchPath: () => this.#options.environment(this.#program.marker, this.plan, this.appPort)['PATH'] ?? ''
      })
    if (state.phase === 'backoff' && state.until === Infinity && succeeded(state.last) && !this.#lifecycleLog.runEnds)
      this.#options.reporter.warn('restart-waits-for-change', `"${this.name}" ${WAITS_FOR_SAVE}`)
    this.#options.moved()
    this.#listeners.forEach(listener => listener())
  }

  #reason(state: AppState): string {
    return whyNotRunning(this, state, this.#status)
  }
}
