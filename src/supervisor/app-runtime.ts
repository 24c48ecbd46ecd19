import type {ProcessPipes} from '../platform/pipes.ts'
import type {Supervised} from './process/supervised.ts'
import type {SidecarInfo, AppFacts} from '../model/events.ts'
import {instanceName, maySleep, versionedName, type AppPlan} from '../model/plan.ts'
import {exitOf, type AppState, type Why} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'
import type {Pool} from '../proxy/net/pool.ts'
import type {Callee} from '../proxy/gateway/local-apps.ts'
import type {Logs} from './lifecycle-log.ts'
import {PortChecks} from './port-checks.ts'
import {AppChannel} from '../proxy/gateway/app-channel.ts'
import {availabilityOf} from './availability-of.ts'
import type {AdmissionQueue} from '../proxy/gateway/admission-queue.ts'
import type {Progress} from './order/progress.ts'
import type {Idle, Intent, Person} from './owner/next-step.ts'
import type {Candidate} from './reload/candidate.ts'
import type {SidecarPorts} from '../proxy/ports/claim.ts'
import {Opening} from './opening.ts'
import type {Program} from './program.ts'
import type {AppRuntimeOptions, OpeningOptions} from './app-runtime-options.ts'
import {whyNotRunning} from './messages/why-not-running.ts'
import {listedApp} from './listed-app.ts'
import {initialProgress, type RuntimeStatus} from './runtime-status.ts'
import type {AppSleep} from './app-sleep.ts'
import type {ConcurrencyLimiter} from '../proxy/gateway/concurrency-limiter.ts'

/** Number of short runs in a row after which calls are denied. */
const MAX_SHORT_RUNS = 5

/**
 * An app of a run, from its first opening until it leaves the run. Combines its parts: its opening (sidecar, logs, processes) and the channel
 * of its calls. Holds the intent for it, which commands and edits set and its owner (`owner/owner.ts`) carries out.
 */
export class AppRuntime implements Callee, Intent {
  // the intent for the app (`Intent`)
  person: Person
  request: Intent['request'] = 'no'
  closing: Intent['closing'] = 'no'
  runEnds = false
  leaves = false
  round = 0
  idle: Idle = {kind: 'no'}
  /** Plan of the next process. An edit of the template changes it at once, `plan` only once the edit is applied. */
  wanted: AppPlan
  readonly token: string
  /** Whether the user has stopped the app: its sidecar is closed or being closed, and was not opened since. */
  isStopped = false
  /** Whether an earlier opening has written a log file of its own. */
  hasEarlierLogs = false
  readonly #options: AppRuntimeOptions
  /** Way of the calls to the app, over all openings. */
  readonly #channel: AppChannel
  /** Latest opening, with the processes. */
  #opening: Opening
  /** Plan of the current process. */
  #plan: AppPlan
  readonly #checks = new PortChecks(this)
  readonly #listeners = new Set<() => void>()
  readonly #moves = {moved: (state: AppState): void => this.#moved(state), otherMoved: (): void => this.#notify()}
  // functions that pass a request to a part of the app
  readonly start = async (pipes: ProcessPipes | undefined): Promise<void> => this.#opening.start(pipes)
  readonly startAsleep = (): void => this.#opening.startAsleep()
  readonly fallAsleep = (): void => this.#program.sleep()
  readonly stopNow = (): void => this.#program.stopNow()
  readonly ended = async (): Promise<void> => this.#program.ended()
  readonly recheck = (): void => this.#checks.refused()
  readonly cutCalls = (why?: string): void => this.#channel.cut(why)
  readonly candidate = async (): Promise<Candidate> =>
    (await import('./reload/candidate.ts')).candidateOf(this, this.#channel)
  /** Returns the terminal of the app's processes; undefined: no process has had one. */
  readonly terminal = (): Program['terminal'] => this.#program.terminal
  readonly exitedAt = () => exitOf(this.app.state) && this.#status.movedAt.getTime() // time of an exit that nothing requested, in ms since 1970

  constructor(options: AppRuntimeOptions, first: OpeningOptions) {
    const {plan, ports} = first
    this.#options = options
    this.#plan = plan
    this.wanted = plan
    this.person = first.person
    this.token = options.token
    this.#channel = new AppChannel({
      plan,
      appPort: ports.appPort,
      explain: options.explain,
      onWait: call => this.sleep.onWait(call),
      onBroken: () => void this.#checks.broken(),
      healthChanged: isHealthy => {
        this.#opening.exits.reportHealth(isHealthy, this.#plan)
        this.#notify()
      },
      probed: (status, elapsedMs) => this.#opening.counters?.probed(status, elapsedMs),
      invoked: invocation => this.#opening.counters?.invoked(invocation),
      awaitsHealth: maySleep(plan)
    })
    this.#opening = new Opening(this, options, first, this.#moves)
    this.#begin()
  }

  /** Opens the app again after its processes have ended, with another plan. The app has not started then. */
  reopen(next: Omit<OpeningOptions, 'person'>): void {
    this.wanted = this.#plan = next.plan
    const person = this.person === 'stopped' ? 'none' : this.person
    this.person = person
    this.isStopped = false
    this.#opening = new Opening(this, this.#options, {...next, person}, this.#moves)
    this.hasEarlierLogs = true
    this.#channel.reopen(next.plan, next.ports.appPort)
    this.#begin()
  }

  /** Prepares the app for its first process of an opening. */
  #begin(): void {
    this.applyStarter()
    this.queue.hold(whyNotRunning(this, {phase: 'idle'}, this.#status))
  }

  /** Latest opening: ports, logs, processes, and the settings of the sidecar. */
  get opening(): Opening {
    return this.#opening
  }

  get ports(): SidecarPorts {
    return this.#opening.ports
  }

  get logs(): Logs {
    return this.#opening.logs
  }

  get sleep(): AppSleep {
    return this.#opening.sleep
  }

  get #program(): Program {
    return this.#opening.program
  }

  get #status(): RuntimeStatus {
    return this.#opening.status
  }

  /** Reason why the app cannot be started; '': it can. */
  get fault(): string {
    return [...this.#opening.faults.values()].find(why => why !== '') ?? ''
  }

  get id(): string {
    return this.plan.id
  }

  /** Name for people: the id, with the instance number except for the first instance. */
  get name(): string {
    return instanceName(this.id, this.plan.instance)
  }

  /** Name that is unique over all versions of the id, since an edit may end one version and begin another at once. */
  get home(): string {
    return versionedName({name: this.name, version: this.plan.version})
  }

  /** Whether a command means this app: by its id, which means all instances, or by `<id>.<instance>`. */
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

  /** Start times of the living processes in ms of `performance.now()`, the current process first; 0: Pillion did not start it. */
  get lives(): readonly number[] {
    return this.#program.lives
  }

  /** Progress of the process. While an edit opens the app again, it is the initial one, so that dependents wait for the next opening. */
  get progress(): Progress {
    return this.#isReopening ? initialProgress(this.#plan) : this.#status.progress
  }

  /** Whether the process accepts connections, or the app has no port. (`availability` says whether calls are sent.) */
  get isListening(): boolean {
    const {state} = this.app
    return this.appPort === 0 || (state.phase === 'running' && state.ready)
  }

  /** Availability of the app for its users: ready, waiting, stopped, … */
  get availability(): Availability {
    return this.isStopped ? 'stopped' : availabilityOf(this)
  }

  /** Notes that something needs the app while it falls asleep. Returns false if it is not falling asleep, or was needed already. */
  need(cause: string): boolean {
    if (this.idle.kind !== 'idle') return false
    this.idle = {kind: 'needed', cause}
    this.#notify()
    return true
  }

  /** Makes the sidecar ask the app for topics and actors from now on, since an app of the run uses Dapr. */
  ask(): void {
    this.#opening.isUnasked = false
    this.#notify()
  }

  onMove(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether a process was started, or is about to be. */
  get hasStarted(): boolean {
    return this.#program.hasStarted
  }

  /** Makes the wanted plan the plan of the app. Does not change the process. */
  adopt(): void {
    this.#plan = this.wanted
  }

  /** Replaces the process: stops it and starts the next one. `starting`: called right before that start. */
  async replace(why: Why, starting: () => void): Promise<void> {
    this.#channel.renewPool()
    if (this.hasOtherStarter) this.applyStarter()
    this.adopt()
    this.#channel.applyPlan(this.#plan)
    // after an exit, starts from the initial progress: dependents wait for the result of the next process
    if (this.hasEnded) this.#status.reset(this.#plan)
    else this.#status.replaced()
    await this.#program.replace(this.#plan, this.appPort, why, starting)
  }

  /** Denies new calls. Calls in flight may finish. */
  refuseCalls(): void {
    this.queue.close(`"${this.id}" is being stopped`)
  }

  /** Queues calls until the next opening, while an edit of the template closes the app. */
  suspend(): void {
    this.#channel.suspend(`an edit of the template opens "${this.id}" again`)
  }

  /** Whether an edit has ended the processes, and is about to open the app again. */
  get isBetweenOpenings(): boolean {
    return this.#isReopening && this.app.state.phase === 'exited'
  }

  get #isReopening(): boolean {
    return this.closing === 'reopens' || this.closing === 'opens'
  }

  /** Denies calls and notifies listeners, since the app has left the run. */
  leave(): void {
    this.refuseCalls()
    this.#notify()
  }

  /** Stops all processes, and settles when they are completely gone. */
  async stop(why: Why): Promise<AppState> {
    this.#channel.stopHealthChecks()
    return this.#program.stop(why)
  }

  /** Whether the user starts the process, in a debugger or after `--except`. */
  get isDebugged(): boolean {
    return this.#program.starter !== 'none'
  }

  /** Whether `--except` has left the start of the process to the user. */
  get isExcepted(): boolean {
    return this.#program.starter === 'excepted'
  }

  /** Whether the next process has another starter than the current one: the user instead of the run, or the reverse. */
  get hasOtherStarter(): boolean {
    return this.person !== 'stopped' && (this.person === 'none') === this.isDebugged
  }

  /** Whether the next process has another plan or starter than the current one. */
  get isNextDifferent(): boolean {
    return this.wanted !== this.#plan || this.hasOtherStarter
  }

  /** Applies the user's choice of the starter to the next process, which `replace` creates. */
  applyStarter(): void {
    if (this.person !== 'stopped') this.#program.starter = this.person
    this.#channel.isDebugged = this.isDebugged
    this.#channel.waitsWithoutLimit = this.isDebugged && !this.isExcepted
  }

  /** Whether the current process has exited and is not restarted automatically. */
  get hasEnded(): boolean {
    return this.#program.hasEnded
  }

  /** Notes that the start waits for the apps `ids`, and queues calls. `why`: completes "it waits until …". */
  waits(why: string, ids: readonly string[]): void {
    this.#status.waits(this.plan, why, ids)
    this.queue.hold(this.obstacle)
  }

  /** Reason why the app has not been started; '': it was, or will be. */
  get obstacle(): string {
    return this.#status.obstacle
  }

  /** Whether a failed dependency has prevented the start. */
  get isGivenUp(): boolean {
    return this.#status.isGivenUp
  }

  /** Resets an exited or given-up app to the state before its first start. */
  reset(): void {
    this.adopt()
    this.#channel.applyPlan(this.#plan)
    this.#status.reset(this.#plan)
    this.#program.reset(this.#plan, this.appPort)
    this.queue.hold(whyNotRunning(this, {phase: 'idle'}, this.#status))
  }

  /** Gives up the start until the dependency is started. Denies calls with this reason. */
  async giveUp(why: string): Promise<void> {
    this.#status.giveUp(why, this.sleep.isAsleep)
    if (!this.sleep.isAsleep) return this.app.stop('user')
    this.queue.shut(why)
    this.queue.hold(whyNotRunning(this, this.app.state, this.#status)) // the next call wakes the app again
    this.sleep.onMove()
    this.#notify()
  }

  /** Emits the state again after a change of the availability alone. */
  readonly announce = (): void => this.#options.moved()

  readonly listing = (): AppFacts => listedApp(this, availabilityOf(this))

  #notify(): void {
    this.#listeners.forEach(listener => listener())
  }

  #moved(state: AppState): void {
    const opening = this.#opening
    opening.status.moved(state)
    if (state.phase === 'starting') {
      opening.logStart = this.logs.app.record.length
      if (!this.isDebugged) this.request = 'no'
    }
    this.#channel.update(state, {
      isCrashLooping: this.app.shortRuns >= MAX_SHORT_RUNS,
      why: whyNotRunning(this, state, this.#status)
    })
    this.sleep.onMove()
    opening.noteReady()
    opening.report(state)
    this.#options.moved()
    this.#notify()
  }
}
