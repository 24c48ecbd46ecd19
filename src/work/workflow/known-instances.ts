import {changesOf, type WorkflowChange} from './changes.ts'
import type {Engine} from './engine.ts'
import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import {eventsOf, type Event} from './messages.ts'
import {isTerminal, STALLED} from './status.ts'
import {timersOf} from './tasks.ts'
import type {WaitingTimer, Wanted, WorkflowStore} from './workflow-store.ts'

const MAX_NAMED = 10

/** Reads instances, including changes that are not committed yet. */
export class KnownInstances {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Returns a line for each instance that has failed or still waits. */
  unfinished(): readonly string[] {
    const lines = this.#engine.store.unfinished(MAX_NAMED + 1).map(({app, name, id, status, failure}) => {
      const why = failure === undefined ? '' : `: ${failureOf(failure).message}`
      return `${app}: workflow '${name}' '${id}' ${isTerminal(status) ? `has failed${why}` : 'still waits'}`
    })
    return lines.length <= MAX_NAMED ? lines : [...lines.slice(0, MAX_NAMED), 'and more workflows']
  }

  find(app: string, id: string): Instance | undefined {
    return this.#engine.live.find(app, id)?.instance
  }

  at(key: number): Instance | undefined {
    return this.#engine.live.at(key)?.instance
  }

  /** Whether an instance has processed a command: it has the wanted status, has ended or stalled, or has no command in its inbox any more. */
  hasHeard({key, status}: Instance, wanted: number | undefined): boolean {
    if (status === wanted || (status === STALLED && wanted !== undefined)) return true
    return isTerminal(status) || !this.#engine.store.hasCommand(key)
  }

  /** Returns the events of all its turns, joined by turn. */
  history({key}: Instance): readonly Uint8Array[] {
    return this.#engine.live.at(key)?.history ?? []
  }

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

  /** Returns the timers of all workflows, in the order of their times. */
  async waitingTimers(): Promise<readonly WaitingTimer[]> {
    await this.#engine.file.settled()
    return this.#engine.store.waitingTimers()
  }

  /** Deletes a timer. As with Dapr, its workflow then waits without end. Resolves with false if the timer does not exist. */
  async deleteTimer({id}: WaitingTimer): Promise<boolean> {
    return this.#engine.file.change(() => this.#engine.wakeUps.remove(id))
  }
}
