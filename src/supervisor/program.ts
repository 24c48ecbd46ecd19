import type {Readable} from 'node:stream'
import type {AppTerminal, ProcessTerminal} from './process/app-terminal.ts'
import {SupervisedApp, type SupervisedOptions} from './process/supervised-app.ts'
import {ExternalApp} from './process/external-app.ts'
import type {ProcessPipes} from '../platform/pipes.ts'
import {afterExit} from './process/restart-policy.ts'
import type {Supervised} from './process/supervised.ts'
import type {Starter} from './owner/next-step.ts'
import {messageOf} from '../model/errors.ts'
import {maySleep, type AppPlan} from '../model/plan.ts'
import {succeeded, type AppState, type Exit, type Why} from '../model/app-state.ts'

export interface ProgramOptions extends Pick<
  SupervisedOptions,
  'lines' | 'noted' | 'serverRefusal' | 'watchdog' | 'wordsOf'
> {
  /** Returns the environment of a process. `marker`: value of `PILLION_LIFE`. `appPort`: port at which the app should listen. */
  readonly environment: (marker: string, plan: AppPlan, appPort: number) => Readonly<Record<string, string>>
  readonly nextMarker: (plan: AppPlan) => string
  readonly folderOf: (plan: AppPlan) => string | Promise<string>
  /** Called right before each spawn. Returns false if the run is stopping or has ended. */
  readonly maySpawn: () => boolean
  /** Set for the only app of its run, which reads Pillion's stdin; undefined: the run has several apps. */
  readonly single: {readonly input: Readable} | undefined
  /** Returns the latest plan of the app, which decides what follows an exit. */
  readonly plan: () => AppPlan
  /** Starter of the first process. */
  readonly starter: Starter
  /** Called when the state of the current process has changed. */
  readonly moved: (state: AppState) => void
  /** Called when a candidate or a previous process has changed its state. */
  readonly otherMoved: () => void
}

/**
 * All processes of one app in one opening: the current one, which gets the calls, candidates that may replace it, and previous ones that end.
 * Each is a `Supervised`, which restarts its process as the policy says. The app's runtime starts, replaces and stops them here.
 */
export class Program {
  readonly #options: ProgramOptions
  #current: Supervised
  /** Candidates, and previous processes that are being stopped. */
  readonly #others = new Set<Supervised>()
  /** Plan of the latest process. */
  #plan: AppPlan
  /** Marker of the latest process; '': none was started. */
  marker = ''
  /** Number of started processes. */
  starts = 0
  /** Start time of the latest process of each `Supervised`, in ms of `performance.now()`; Infinity: replaced by a candidate. */
  readonly #startTimes = new WeakMap<Supervised, number>()
  /** Whether the app is stopped for good, so that nothing may start. */
  #isStopped = false
  /** Whether the current process was started, or starts once the previous one has ended. */
  #hasStarted = false
  /** Starter of the next process. */
  starter: Starter
  /** Terminal of all processes; undefined: no process has needed one. */
  terminal: AppTerminal | undefined

  constructor(options: ProgramOptions, plan: AppPlan, appPort: number) {
    this.#options = options
    this.starter = options.starter
    this.#plan = plan
    this.#current = this.#newApp(plan, appPort)
  }

  /** Current process, which gets the calls. */
  get app(): Supervised {
    return this.#current
  }

  /** Whether the current process has exited, and no candidate or previous process is left. */
  get hasEnded(): boolean {
    return this.#current.state.phase === 'exited' && this.#others.size === 0
  }

  /** Settles when all processes of this moment have ended. Others may have started by then. */
  async ended(): Promise<void> {
    await Promise.all([this.#current, ...this.#others].map(async app => app.ended))
  }

  /** Start times of the living processes in ms of `performance.now()`, the current process first; 0: Pillion did not start it. */
  get lives(): readonly number[] {
    const living = [this.#current, ...this.#others].filter(
      ({state: {phase}}) => !['exited', 'backoff', 'asleep'].includes(phase)
    )
    return living.map(app => this.#startTimes.get(app) ?? 0).filter(time => time !== Infinity)
  }

  get hasStarted(): boolean {
    return this.#hasStarted || !['idle', 'asleep'].includes(this.#current.state.phase)
  }

  /** Puts the app to sleep: ends the current process, and starts another only on request. */
  sleep(): void {
    this.#hasStarted = false
    this.#current.sleep?.()
  }

  async start(pipes: ProcessPipes | undefined): Promise<void> {
    this.#hasStarted = true
    await (this.#current instanceof SupervisedApp ? this.#current.start(pipes) : this.#current.start())
  }

  /** Replaces the current process: stops it, and starts a new one if the old one had been started. `starting`: called right before that start. */
  async replace(plan: AppPlan, appPort: number, why: Why, starting: () => void): Promise<void> {
    const old = this.#current
    const {state} = old
    const wasAsleep = state.phase === 'asleep'
    const pid = this.#plan === plan && 'pid' in state ? state.pid : undefined
    this.#hasStarted = this.hasStarted
    const first: AppState | undefined = pid === undefined ? undefined : {phase: 'stopping', pid, why}
    const app = (this.#current = this.#newApp(plan, appPort, {begunBy: why, first}))
    this.#others.add(old)
    if (first !== undefined) this.#options.moved(first)
    // puts the new one to sleep at once, so that a call can wake it while the old one ends
    if (wasAsleep && !this.#hasStarted) app.sleep?.()
    await this.stopOther(old, why)
    starting()
    // a process that the user starts in a debugger does not sleep
    if (this.#hasStarted || (wasAsleep && app.sleep === undefined)) void app.start()
  }

  /** Replaces a process that has exited or waits for a restart by a new one, which is not started. */
  reset(plan: AppPlan, appPort: number): void {
    const old = this.#current
    this.#hasStarted = false
    this.#current = this.#newApp(plan, appPort)
    if (old.state.phase === 'exited') return
    this.#others.add(old)
    void this.stopOther(old, 'user')
  }

  /** Creates a candidate, which its caller starts. Candidates are not restarted automatically. */
  candidate(plan: AppPlan, appPort: number): Supervised {
    const app = this.#newApp(plan, appPort)
    this.#others.add(app)
    return app
  }

  /** Makes a candidate the current process. Returns the previous one, which the caller stops by `stopOther`. */
  promote(app: Supervised): Supervised {
    const old = this.#current
    this.#others.delete(app)
    this.#others.add(old)
    this.#startTimes.set(old, Infinity)
    this.#current = app
    return old
  }

  /** Stops a candidate or a previous process. */
  async stopOther(app: Supervised, why: Why): Promise<void> {
    await app.stop(why)
    this.#others.delete(app)
  }

  /** Stops all processes. Resolves with the last state of the current one when all are gone. */
  async stop(why: Why): Promise<AppState> {
    this.#isStopped = true
    await Promise.all([this.#current, ...this.#others].map(async app => app.stop(why)))
    return this.#current.ended
  }

  stopNow(): void {
    for (const app of [this.#current, ...this.#others]) app.stopNow()
  }

  async #openTerminal(id: string): Promise<ProcessTerminal | Exit> {
    try {
      const {AppTerminal: Terminal} = await import('./process/app-terminal.ts')
      this.terminal ??= new Terminal(id)
      return this.terminal.open()
    } catch (error) {
      return {kind: 'spawn-error', message: `it has no terminal (tty: true): ${messageOf(error)}`}
    }
  }

  /** Creates the processes of a plan, which are not started. `replacing`: set if they replace the current ones. */
  #newApp(plan: AppPlan, appPort: number, replacing?: Pick<SupervisedOptions, 'begunBy' | 'first'>): Supervised {
    this.#plan = plan
    const moved = (state: AppState): void => this.#moved(app, state)
    const app: Supervised =
      plan.command.length === 0 || this.starter !== 'none'
        ? new ExternalApp(plan, appPort, moved)
        : new SupervisedApp({...this.#optionsOf(plan, appPort, () => app), ...replacing, moved})
    return app
  }

  /** Reports a change of state, and whether the current process or another one has changed. */
  #moved(app: Supervised, state: AppState): void {
    const {moved, otherMoved} = this.#options
    if (app !== this.#current) return otherMoved()
    // the process has succeeded and sleeps: an edit leaves the app asleep
    if (state.phase === 'asleep' && state.last !== undefined && succeeded(state.last)) this.#hasStarted = false
    moved(state)
    if (state.phase === 'exited') this.terminal?.end()
  }

  #optionsOf(plan: AppPlan, appPort: number, app: () => Supervised): Omit<SupervisedOptions, 'moved'> {
    const {nextMarker, environment, folderOf, maySpawn, plan: latestPlan, ...shared} = this.#options
    return {
      ...shared,
      plan,
      appPort,
      openTerminal: async () => this.#openTerminal(plan.id),
      folder: () => folderOf(plan),
      // refuses processes of a start, reload or edit that is still in progress when the app is stopped
      maySpawn: () => !this.#isStopped && maySpawn(),
      processMarker: () => this.marker,
      environment: () => {
        this.#startTimes.set(app(), performance.now())
        this.marker = nextMarker(plan)
        this.starts++
        return environment(this.marker, plan, appPort)
      },
      next: ended => {
        const {watch} = latestPlan()
        return afterExit(ended, {
          isCurrent: app() === this.#current,
          isWatched: watch.paths.length > 0,
          untilFinished: watch.untilFinished === true,
          maySleep: maySleep(latestPlan())
        })
      }
    }
  }
}
