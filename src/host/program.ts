import type {Readable} from 'node:stream'
import {App, type AppOptions} from '../app/app.ts'
import {Listener} from '../app/listener.ts'
import type {LifePipes} from '../app/pipes.ts'
import {nextLife} from '../app/restart.ts'
import type {Note, Supervised} from '../app/supervised.ts'
import type {Sink} from '../event.ts'
import type {AppPlan} from '../plan.ts'
import type {AppState, Why} from '../state.ts'

export interface ProgramOptions {
  readonly lines: Sink
  /** The environment of a life by its mark, for an app that is to listen on this port. */
  readonly environment: (life: string, plan: AppPlan, appPort: number) => Readonly<Record<string, string>>
  readonly nextLife: () => string
  /** Where a life runs. */
  readonly folderOf: (plan: AppPlan) => string
  /** Asked right before each spawn; false: the run is about to end, or has ended. */
  readonly maySpawn: () => boolean
  /** Told of each process group, should we be killed. */
  readonly guardian: AppOptions['guardian']
  /** The only app of its run: it reads what we are given to read. */
  readonly single: {readonly input: Readable} | undefined
  readonly noted: (note: Note | string) => void
  /** A move of the app that takes calls. */
  readonly moved: (state: AppState) => void
  /** A move of one beside it. */
  readonly besideMoved: () => void
}

/** The processes of one app: the one that takes calls, and those beside it that are to take over, or have been exchanged. */
export class Program {
  readonly #options: ProgramOptions
  #app: Supervised
  readonly #besides = new Set<Supervised>()
  #life = ''
  readonly #lives: string[] = []
  #isStopped = false

  constructor(options: ProgramOptions, plan: AppPlan, appPort: number) {
    this.#options = options
    this.#app = this.#newApp(plan, appPort)
  }

  /** The one that takes calls. */
  get app(): Supervised {
    return this.#app
  }

  /** The mark of the latest life, '' before the first. */
  get life(): string {
    return this.#life
  }

  get lives(): readonly string[] {
    return this.#lives
  }

  /** The one that takes calls has ended, and none is about to follow. */
  get hasEnded(): boolean {
    return this.#app.state.phase === 'exited' && this.#besides.size === 0
  }

  async start(pipes: LifePipes | undefined): Promise<void> {
    await (this.#app instanceof App ? this.#app.start(pipes) : this.#app.start())
  }

  /** A new one in place of the old one, whose end is waited for. It is started if the old one was. */
  async revive(plan: AppPlan, appPort: number, why: Why): Promise<void> {
    const old = this.#app
    const isStarted = old.state.phase !== 'idle'
    this.#app = this.#newApp(plan, appPort)
    this.#besides.add(old)
    await this.drop(old, why)
    if (isStarted) await this.#app.start()
  }

  /** Another one, that will not be started again by itself; the caller starts it. */
  beside(plan: AppPlan, appPort: number): Supervised {
    const app = this.#newApp(plan, appPort)
    this.#besides.add(app)
    return app
  }

  /** Makes one of those beside the one that takes calls. Gives the old one. */
  takeOver(app: Supervised): Supervised {
    const old = this.#app
    this.#besides.delete(app)
    this.#besides.add(old)
    this.#app = app
    return old
  }

  /** Ends one of those beside. */
  async drop(app: Supervised, why: Why): Promise<void> {
    await app.stop(why)
    this.#besides.delete(app)
  }

  /** Ends all; settles when nothing is left, with the last state of the one that took calls. */
  async stop(why: Why): Promise<AppState> {
    this.#isStopped = true
    await Promise.all([this.#app, ...this.#besides].map(async app => app.stop(why)))
    return this.#app.ended
  }

  stopNow(): void {
    for (const app of [this.#app, ...this.#besides]) app.stopNow()
  }

  #newApp(plan: AppPlan, appPort: number): Supervised {
    const {nextLife: nextMark, environment, folderOf, maySpawn, moved: tell, besideMoved, ...shared} = this.#options
    const isBeside = (): boolean => app !== this.#app
    const moved = (state: AppState): void => (isBeside() ? besideMoved() : tell(state))
    const app: Supervised =
      plan.command.length === 0
        ? new Listener({plan, appPort, moved})
        : new App({
            ...shared,
            plan,
            appPort,
            moved,
            folder: () => folderOf(plan),
            // whatever is still under way when the end is asked for: a start, an exchange, an edit of the template
            maySpawn: () => !this.#isStopped && maySpawn(),
            lifeMark: () => this.#life,
            environment: () => {
              this.#life = nextMark()
              this.#lives.push(this.#life)
              return environment(this.#life, plan, appPort)
            },
            next: (policy, failures, exit) => {
              if (isBeside()) return 'no'
              const next = nextLife(policy, failures, exit)
              return typeof next === 'string' && plan.watch.paths.length > 0 ? Infinity : next
            }
          })
    return app
  }
}
