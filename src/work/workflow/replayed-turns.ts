import type {TurnResponse} from './messages.ts'
import type {Instance} from './instance.ts'
import type {WorkItem} from './workers.ts'

/** A turn that is over, which a worker gets once more: what it answers changes nothing. */
export interface Replayed extends WorkItem {
  readonly app: string
  /** Of its instance. */
  readonly id: string
  /** The worker's answer; undefined: there will be none. */
  answered(answer: TurnResponse | undefined): void
}

/**
 * The turns that are replayed. Not all workers say which dispatch they answer, so an instance has no other turn while a worker may
 * still answer a replayed one, also if its caller has disconnected.
 */
export class ReplayedTurns {
  readonly #items = new Map<string, Replayed>()

  find(app: string, id: string): Replayed | undefined {
    return this.#items.size === 0 ? undefined : this.#items.get(`${app}\0${id}`)
  }

  has({app, id}: Instance): boolean {
    return this.find(app, id) !== undefined
  }

  add(item: Replayed): void {
    this.#items.set(`${item.app}\0${item.id}`, item)
  }

  remove({app, id}: Replayed): void {
    this.#items.delete(`${app}\0${id}`)
  }
}
