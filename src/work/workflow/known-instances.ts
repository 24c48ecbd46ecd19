import {changesOf, type WorkflowChange} from './changes.ts'
import type {Engine} from './engine.ts'
import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import {eventsOf, type Event} from './messages.ts'
import {isTerminal} from './status.ts'
import {timersOf} from './tasks.ts'
import type {WaitingTimer, Wanted, WorkflowStore} from './workflow-store.ts'

const MAX_NAMED = 10

/** What is known of instances, read only; what the change of this tick has written is in it already. */
export class KnownInstances {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** A line for each that has failed or still waits. */
  unfinished(): readonly string[] {
    const lines = this.#engine.store.unfinished(MAX_NAMED + 1).map(({app, name, id, status, failure}) => {
      const why = failure === undefined ? '' : `: ${failureOf(failure).message}`
      return `${app}: workflow '${name}' '${id}' ${isTerminal(status) ? `has failed${why}` : 'still waits'}`
    })
    return lines.length <= MAX_NAMED ? lines : [...lines.slice(0, MAX_NAMED), 'and more workflows']
  }

  /** One by the id that its app has given it. */
  find(app: string, id: string): Instance | undefined {
    return this.#engine.live.find(app, id)?.instance
  }

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

  latestChanges(instance: Instance): readonly WorkflowChange[] {
    return changesOf(instance, this.history(instance))
  }

  list(app: string, after: number, count: number): ReturnType<WorkflowStore['list']> {
    return this.#engine.store.list(app, after, count)
  }

  search(wanted: Wanted, limit: number): readonly Instance[] {
    return this.#engine.store.search(wanted, limit)
  }

  appsWith(id: string): readonly string[] {
    return this.#engine.store.appsWith(id)
  }

  timers({key}: Instance): ReadonlyMap<number, number> {
    return timersOf(this.#engine, key)
  }

  /** What workflows wait for, the next one first. */
  async waitingTimers(): Promise<readonly WaitingTimer[]> {
    await this.#engine.file.settled()
    return this.#engine.store.waitingTimers()
  }

  /** Its workflow waits without end, as with Dapr. */
  async deleteTimer({id}: WaitingTimer): Promise<void> {
    await this.#engine.file.change(() => this.#engine.wakeUps.remove(id))
  }
}
