import type {CallObserver} from '../model/call.ts'
import type {Reporter} from '../model/reporter.ts'
import {systemClock} from '../platform/clock.ts'
import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {ActorAccess} from '../dapr/sidecar/sidecar-actors.ts'
import type {FinishWork} from '../supervisor/reload/overlap.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {Actors, ActorsOptions} from '../work/actor/actors.ts'
import type {CountActors} from '../work/actor/count-firing.ts'

export interface RunActorsOptions {
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
  readonly observer: CallObserver
  readonly reporter: Reporter
  readonly reminders: ActorAccess['reminders']
}

/** The actors of a run, loaded when an app hosts some, or calls one. */
export class RunActors implements ActorAccess {
  readonly #sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
  readonly #observer: CallObserver
  readonly #reporter: Reporter
  #loading: Promise<Actors> | undefined
  #actors: Actors | undefined

  /** Loads their reminders. */
  readonly reminders: ActorAccess['reminders']

  constructor({sidecars, observer, reporter, reminders}: RunActorsOptions) {
    this.#reporter = reporter
    this.#sidecars = sidecars
    this.#observer = observer
    this.reminders = reminders
  }

  /** Undefined: no app has hosted or called one. */
  get loaded(): Actors | undefined {
    return this.#actors
  }

  readonly load = async (): Promise<Actors> => {
    this.#loading ??= Promise.all([
      import('../work/actor/actors.ts'),
      import('../dapr/sidecar/http/blocks/actor-request.ts')
    ]).then(([{Actors: Table}, {actorJournal}]) => {
      const mayHost = (app?: string): boolean =>
        [...this.#sidecars].some(([{id}, {actors}]) => (app === undefined || id === app) && actors.mayHost)
      const counted: CountActors = (instance, event) => {
        const runtime = [...this.#sidecars.keys()].find(({name}) => name === instance)
        runtime?.counters?.hosted(event)
      }
      const journalOf: ActorsOptions['journalOf'] = (request, app) => actorJournal(this.#observer, request, app)
      const toldCircle: ActorsOptions['toldCircle'] = ({place}, text) => {
        const runtime = [...this.#sidecars.keys()].find(({name}) => name === place?.host.instance)
        runtime?.logs.sidecar.log({level: 'warn', message: text, scope: 'dapr.runtime.actor'})
        this.#reporter.warn('actor-waits', text)
      }
      return (this.#actors = new Table({clock: systemClock, mayHost, counted, toldCircle, journalOf}))
    })
    return this.#loading
  }

  readonly hostedAt: ActorAccess['hostedAt'] = ({name}) => this.#actors?.table.hostedAt(name)

  readonly told = (): void => this.#actors?.look()

  /** The actors in an app's process, which is to end: lets them go; false if the signal is aborted before. */
  readonly present = (runtime: AppRuntime): FinishWork => {
    const {pid, name} = runtime
    // another process may have taken its place by then, and its actors with it
    return async signal => this.#actors === undefined || runtime.pid !== pid || this.#actors.retire(name, signal)
  }

  /** The same when it is to end for good: who is inside of an actor has no longer than its app has said. */
  async end({name, plan}: AppRuntime, now: AbortSignal): Promise<void> {
    await this.#actors?.end(name, plan.stop.timeoutMs, now)
  }

  /** Its process has been exchanged. */
  resume(runtime: AppRuntime): void {
    this.#actors?.resume(runtime.name)
  }

  close(): void {
    this.#actors?.close()
  }
}
