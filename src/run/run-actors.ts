import {Once} from '../model/once.ts'
import type {ActorAccess} from '../dapr/sidecar/actor-access.ts'
import type {FinishWork} from '../supervisor/reload/overlap.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {Actors} from '../work/actor/actors.ts'
import type {openActors, OpenActorsOptions} from './open-actors.ts'

/** The actors of a run, loaded when an app hosts some, or calls one. */
export class RunActors implements ActorAccess {
  readonly #options: OpenActorsOptions & {readonly opened?: () => void}
  /** The number of reminders that an app has set, by type. */
  readonly #remindersOf: (app: string) => ReadonlyMap<string, number>
  readonly #opening = new Once<ReturnType<typeof openActors>>()
  #actors: Actors | undefined

  readonly reminders: ActorAccess['reminders']
  readonly faults: ActorAccess['faults']

  constructor(
    options: OpenActorsOptions & {readonly opened?: () => void},
    reminders: ActorAccess['reminders'],
    remindersOf: (app: string) => ReadonlyMap<string, number>
  ) {
    this.#options = options
    this.reminders = reminders
    this.#remindersOf = remindersOf
    this.faults = options.faults
  }

  /** The actors of the run; undefined: no app has hosted or called one yet. */
  get loaded(): Actors | undefined {
    return this.#actors
  }

  readonly load = async (): Promise<Actors> => (await this.#open()).here

  readonly elsewhere: ActorAccess['elsewhere'] = async request => (await this.#open()).far.call(request)

  readonly hostedAt: ActorAccess['hostedAt'] = ({home}) => this.#actors?.table.hostedAt(home)

  readonly countsOf: ActorAccess['countsOf'] = async ({id, name, home}) => {
    if (this.#actors?.table.hostedAt(home) === undefined) return []
    const {countsAt} = await import('../work/actor/actor-counts.ts')
    // reminders belong to the app: only one of its instances counts them
    const reminders = name === id ? this.#remindersOf(id) : new Map<string, number>()
    return countsAt(this.#actors, home, reminders)
  }

  readonly onTypes = (): void => this.#actors?.look()

  /** Returns a function that deactivates the actors of an app's present process, which is about to end. The function resolves with false if its signal is aborted before. */
  readonly present = (runtime: AppRuntime): FinishWork => {
    const {pid, home} = runtime
    // a later process of the app keeps its actors
    return async signal => this.#actors === undefined || runtime.pid !== pid || this.#actors.retire(home, signal)
  }

  /** Returns the time for turns of an app's actors to end, in ms; 0: it hosts no actors. */
  readonly drainMs = ({home}: AppRuntime): number => this.#actors?.drainMs(home) ?? 0

  /** Deactivates the actors of an app that ends for good. Turns under way get at most the time that the app has reported. */
  async end({home, plan}: AppRuntime, now: AbortSignal): Promise<void> {
    await this.#actors?.end(home, plan.stop.timeoutMs, now)
  }

  /** Called when the app's process was replaced. */
  resume(runtime: AppRuntime): void {
    this.#actors?.resume(runtime.home)
  }

  close(): void {
    this.#actors?.close()
  }

  async #open(): Promise<ReturnType<typeof openActors>> {
    return this.#opening.do(async () => {
      const opened = (await import('./open-actors.ts')).openActors(this.#options)
      this.#actors = opened.here
      this.#options.opened?.()
      return opened
    })
  }
}
