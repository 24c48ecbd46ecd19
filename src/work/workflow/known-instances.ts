import {changesOf, type WorkflowChange} from './changes.ts'
import type {Engine} from './engine.ts'
import type {Instance} from './instance.ts'
import {appsWithInstance, searchInstances, type Wanted} from './instance-search.ts'
import {eventsOf, type Event} from './messages.ts'
import {timersOf} from './tasks.ts'
import {unfinishedLines} from './unfinished.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** What is known of instances, read only; what the change of this tick has written is in it already. */
export class KnownInstances {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** A line for each that has failed or still waits. */
  unfinished(): readonly string[] {
    return unfinishedLines(this.#engine.store)
  }

  /** One by the id that its app has given it. */
  find(app: string, id: string): Instance | undefined {
    return this.#engine.live.find(app, id)?.instance
  }

  /** One by its row. */
  at(key: number): Instance | undefined {
    return this.#engine.live.at(key)?.instance
  }

  /** The events of all its turns, each turn's joined. */
  history({key}: Instance): readonly Uint8Array[] {
    return this.#engine.live.at(key)?.history ?? []
  }

  /** The same, one by one, as they can be read. */
  events(instance: Instance): readonly Event[] {
    return eventsOf(this.history(instance))
  }

  /** What its latest turn has changed. */
  latestChanges(instance: Instance): readonly WorkflowChange[] {
    return changesOf(instance, this.history(instance))
  }

  /** Ids of an app's instances, from behind a row. */
  list(app: string, after: number, count: number): ReturnType<WorkflowStore['list']> {
    return this.#engine.store.list(app, after, count)
  }

  /** The latest instances that are meant, without their payloads, the latest first. */
  search(wanted: Wanted, limit: number): readonly Instance[] {
    return searchInstances(this.#engine.file.database, wanted, limit)
  }

  /** The apps that have an instance of this id. */
  appsWith(id: string): readonly string[] {
    return appsWithInstance(this.#engine.file.database, id)
  }

  /** When the timers of an instance fire, by the ids of their events. */
  timers({key}: Instance): ReadonlyMap<number, number> {
    return timersOf(this.#engine, key)
  }
}
