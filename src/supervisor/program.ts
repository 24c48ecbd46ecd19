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
  /** The environment of a process with this marker; the app should listen on `appPort`. */
  readonly environment: (marker: string, plan: AppPlan, appPort: number) => Readonly<Record<string, string>>
  readonly nextMarker: (plan: AppPlan) => string
  readonly folderOf: (plan: AppPlan) => string | Promise<string>
  /** Called right before each spawn; false if the run is stopping or has ended. */
  readonly maySpawn: () => boolean
  /** The only app of its run reads our stdin. */
  readonly single: {readonly input: Readable} | undefined
  /** Returns the latest plan of the app, which decides which saves restart it, and whether it sleeps. */
  readonly plan: () => AppPlan
  /** Starter of the first process. */
  readonly starter: Starter
  /** Called when the state of the current process has changed. */
  readonly moved: (state: AppState) => void
  /** Called when a candidate or a previous process has changed its state. */
  readonly otherMoved: () => void
}

/** The processes of one app: the current one, which receives calls, candidates that will replace it, and previous ones. */
export class Program {
  readonly #options: ProgramOptions
  #app: Supervised
  /** The plan of the latest process. */
  #plan: AppPlan
  readonly #others = new Set<Supervised>()
  /** The marker of the latest process, '' before the first. */
  marker = ''
  starts = 0
  /** When the latest process of each was started, in ms of performance.now(); Infinity: it is being stopped. */
  readonly #births = new WeakMap<Supervised, number>()
  #isStopped = false
  #hasStarted = false
  /** Starter of the next process: the run, or the user. */
  starter: Starter
  /** The terminal of all its processes; created by the first process that has one. */
  terminal: AppTerminal | undefined

  constructor(options: ProgramOptions, plan: AppPlan, appPort: number) {
    this.#options = options
    this.starter = options.starter
    this.#plan = plan
    this.#app = this.#newApp(plan, appPort)
  }

  /** The current process, which receives calls. */
  get app(): Supervised {
    return this.#app
  }

  /** The current process has exited, and no candidate or previous process is left. */
  get hasEnded(): boolean {
    return this.#app.state.phase === 'exited' && this.#others.size === 0
  }

  /** Settles when the current processes have ended. Others may have started. */
  async ended(): Promise<void> {
    await Promise.all([this.#app, ...this.#others].map(async app => app.ended))
  }

  /** Start times of the living processes, the current one first, in ms of performance.now(); 0 if we did not start it. */
  get lives(): readonly number[] {
    const living = [this.#app, ...this.#others].filter(
      ({state: {phase}}) => !['exited', 'backoff', 'asleep'].includes(phase)
    )
    return living.map(app => this.#births.get(app) ?? 0).filter(birth => birth !== Infinity)
  }

  /** The current process was started, or is just about to be. */
  get hasStarted(): boolean {
    return this.#hasStarted || !['idle', 'asleep'].includes(this.#app.state.phase)
  }

  /** Ends the current process. The next starts only on request. */
  sleep(): void {
    this.#hasStarted = false
    this.#app.sleep?.()
  }

  async start(pipes: ProcessPipes | undefined): Promise<void> {
    this.#hasStarted = true
    await (this.#app instanceof SupervisedApp ? this.#app.start(pipes) : this.#app.start())
  }

  /** Stops the current process, and begins to start a new one if the old one was started. `starting`: called right before. */
  async replace(plan: AppPlan, appPort: number, why: Why, starting: () => void): Promise<void> {
    const old = this.#app
    const {state} = old
    const wasAsleep = state.phase === 'asleep'
    const pid = this.#plan === plan && 'pid' in state ? state.pid : undefined
    this.#hasStarted = this.hasStarted
    const first: AppState | undefined = pid === undefined ? undefined : {phase: 'stopping', pid, why}
    const app = (this.#app = this.#newApp(plan, appPort, {begunBy: why, first}))
    this.#others.add(old)
    if (first !== undefined) this.#options.moved(first)
    // now, so that a call starts the new one while the old one ends
    if (wasAsleep && !this.#hasStarted) app.sleep?.()
    await this.drop(old, why)
    starting()
    // a process that the user starts in a debugger does not sleep
    if (this.#hasStarted || (wasAsleep && app.sleep === undefined)) void app.start()
  }

  /** Replaces an exited process, or one that waits for a restart, by a new one that is not started. */
  reset(plan: AppPlan, appPort: number): void {
    const old = this.#app
    this.#hasStarted = false
    this.#app = this.#newApp(plan, appPort)
    if (old.state.phase === 'exited') return
    this.#others.add(old)
    void this.drop(old, 'user')
  }

  /** Creates a candidate, which the caller starts, and which is not restarted automatically. */
  candidate(plan: AppPlan, appPort: number): Supervised {
    const app = this.#newApp(plan, appPort)
    this.#others.add(app)
    return app
  }

  /** Promotes a candidate to the current process. Returns the previous one. */
  promote(app: Supervised): Supervised {
    const old = this.#app
    this.#others.delete(app)
    this.#others.add(old)
    this.#births.set(old, Infinity)
    this.#app = app
    return old
  }

  async drop(app: Supervised, why: Why): Promise<void> {
    await app.stop(why)
    this.#others.delete(app)
  }

  /** Stops all processes, and settles with the last state of the current one when all are gone. */
  async stop(why: Why): Promise<AppState> {
    this.#isStopped = true
    await Promise.all([this.#app, ...this.#others].map(async app => app.stop(why)))
    return this.#app.ended
  }

  stopNow(): void {
    for (const app of [this.#app, ...this.#others]) app.stopNow()
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

  #newApp(plan: AppPlan, appPort: number, replacing?: Pick<SupervisedOptions, 'begunBy' | 'first'>): Supervised {
    this.#plan = plan
    const {nextMarker, environment, folderOf, maySpawn, ...own} = this.#options
    const {moved: tell, otherMoved, plan: latest, ...shared} = own
    const isOther = (): boolean => app !== this.#app
    const moved = (state: AppState): void => {
      if (isOther()) return otherMoved()
      // after an edit the app stays asleep, as if put to sleep again
      if (state.phase === 'asleep' && state.last !== undefined && succeeded(state.last)) this.#hasStarted = false
      tell(state)
      if (state.phase === 'exited') this.terminal?.end()
    }
    const app: Supervised =
      plan.command.length === 0 || this.starter !== 'none'
        ? new ExternalApp(plan, appPort, moved)
        : new SupervisedApp({
            ...shared,
            ...replacing,
            plan,
            appPort,
            moved,
            openTerminal: async () => this.#openTerminal(plan.id),
            folder: () => folderOf(plan),
            // a start, a reload or an edit of the template may still be in progress when the run stops
            maySpawn: () => !this.#isStopped && maySpawn(),
            processMarker: () => this.marker,
            environment: () => {
              this.#births.set(app, performance.now())
              this.marker = nextMarker(plan)
              this.starts++
              return environment(this.marker, plan, appPort)
            },
            next: ended => {
              const {watch} = latest()
              return afterExit(ended, {
                isCurrent: !isOther(),
                isWatched: watch.paths.length > 0,
                untilFinished: watch.untilFinished === true,
                maySleep: maySleep(latest())
              })
            }
          })
    return app
  }
}
