import type {Readable} from 'node:stream'
import {SupervisedApp, type AppOptions} from './process/supervised-app.ts'
import {Listener} from './process/external-app.ts'
import type {ProcessPipes} from '../platform/pipes.ts'
import {nextStart} from './process/restart-policy.ts'
import type {Note, Supervised} from './process/supervised.ts'
import type {Sink} from '../model/events.ts'
import type {AppPlan} from '../model/plan.ts'
import type {AppState, Why} from '../model/app-state.ts'

export interface ProgramOptions {
  readonly lines: Sink
  /** The environment of a life by its mark, for an app that is to listen on this port. */
  readonly environment: (marker: string, plan: AppPlan, appPort: number) => Readonly<Record<string, string>>
  readonly nextStart: () => string
  /** Where a life runs. */
  readonly folderOf: (plan: AppPlan) => string | Promise<string>
  /** Asked right before each spawn; false: the run is about to end, or has ended. */
  readonly maySpawn: () => boolean
  /** Told of each process group, should we be killed. */
  readonly watchdog: AppOptions['watchdog']
  /** The only app of its run: it reads what we are given to read. */
  readonly single: {readonly input: Readable} | undefined
  readonly noted: (note: Note) => void
  /** The first one is somebody else's, who starts it in a debugger. */
  readonly isDebugged?: boolean | undefined
  /** A move of the app that takes calls. */
  readonly moved: (state: AppState) => void
  /** A candidate or a previous process changed its state. */
  readonly otherMoved: () => void
}

/** The processes of one app: the current one, which receives calls, candidates that will replace it, and previous ones. */
export class Program {
  readonly #options: ProgramOptions
  #app: Supervised
  readonly #others = new Set<Supervised>()
  #marker = ''
  readonly #markers: string[] = []
  #isStopped = false
  /** The next one is somebody else's, who starts it in a debugger. */
  isDebugged = false

  constructor(options: ProgramOptions, plan: AppPlan, appPort: number) {
    this.#options = options
    this.isDebugged = options.isDebugged ?? false
    this.#app = this.#newApp(plan, appPort)
  }

  /** The one that takes calls. */
  get app(): Supervised {
    return this.#app
  }

  /** The mark of the latest process, '' before the first. */
  get marker(): string {
    return this.#marker
  }

  get markers(): readonly string[] {
    return this.#markers
  }

  /** The one that takes calls has ended, and none is about to follow. */
  get hasEnded(): boolean {
    return this.#app.state.phase === 'exited' && this.#others.size === 0
  }

  async start(pipes: ProcessPipes | undefined): Promise<void> {
    await (this.#app instanceof SupervisedApp ? this.#app.start(pipes) : this.#app.start())
  }

  /** A new one in place of the old one, whose end is waited for. It is started if the old one was. */
  async replace(plan: AppPlan, appPort: number, why: Why): Promise<void> {
    const old = this.#app
    const isStarted = old.state.phase !== 'idle'
    this.#app = this.#newApp(plan, appPort, why)
    this.#others.add(old)
    await this.drop(old, why)
    if (isStarted) await this.#app.start()
  }

  /** A new one, not started, in place of one that has ended. */
  reset(plan: AppPlan, appPort: number): void {
    this.#app = this.#newApp(plan, appPort)
  }

  /** Another one, that will not be started again by itself; the caller starts it. */
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
    this.#app = app
    return old
  }

  /** Ends a candidate or a previous process. */
  async drop(app: Supervised, why: Why): Promise<void> {
    await app.stop(why)
    this.#others.delete(app)
  }

  /** Ends all; settles when nothing is left, with the last state of the one that took calls. */
  async stop(why: Why): Promise<AppState> {
    this.#isStopped = true
    await Promise.all([this.#app, ...this.#others].map(async app => app.stop(why)))
    return this.#app.ended
  }

  stopNow(): void {
    for (const app of [this.#app, ...this.#others]) app.stopNow()
  }

  /** `begunBy`: who asked for its first process, if it replaces another one. */
  #newApp(plan: AppPlan, appPort: number, begunBy?: Why): Supervised {
    const {nextStart: nextMarker, environment, folderOf, maySpawn, moved: tell, otherMoved, ...shared} = this.#options
    const isOther = (): boolean => app !== this.#app
    const moved = (state: AppState): void => (isOther() ? otherMoved() : tell(state))
    const app: Supervised =
      plan.command.length === 0 || this.isDebugged
        ? new Listener({plan, appPort, moved})
        : new SupervisedApp({
            ...shared,
            plan,
            appPort,
            moved,
            begunBy,
            folder: () => folderOf(plan),
            // whatever is still under way when the end is asked for: a start, an exchange, an edit of the template
            maySpawn: () => !this.#isStopped && maySpawn(),
            processMarker: () => this.#marker,
            environment: () => {
              this.#marker = nextMarker()
              this.#markers.push(this.#marker)
              return environment(this.#marker, plan, appPort)
            },
            next: (policy, failures, exit, hasFailedAfterChange) => {
              if (isOther()) return 'no'
              if (hasFailedAfterChange && plan.watch.paths.length > 0) return Infinity
              const next = nextStart(policy, failures, exit)
              return typeof next === 'string' && plan.watch.paths.length > 0 ? Infinity : next
            }
          })
    return app
  }
}
