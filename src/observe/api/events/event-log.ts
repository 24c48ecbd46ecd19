import type {ApiEvent} from './event.ts'

const MAX_EVENTS = 4096
const MAX_SIZE = 1024 * 1024

/** The time of an event in both clocks: ms of `performance.now()`, and since 1970. */
interface Moment {
  readonly id: number
  readonly at: number
  readonly time: number
}

/** The latest events of a run that are no samples, for readers whose connection was lost. */
export class EventLog {
  readonly #max: number
  /** The times of events, and moments that have an id without an event. */
  readonly #moments: Moment[] = []
  #kept: ApiEvent[] = []
  #size = 0
  #forgotten: number
  #last: number

  /** `first`: ids are greater; greater than those of an earlier run, so that none is taken for one of this run. */
  constructor(first: number, max = MAX_EVENTS) {
    this.#forgotten = first
    this.#last = first
    this.#max = max
  }

  /** The id of the latest event. */
  get last(): number {
    return this.#last
  }

  /** `time`: when it was, if it was before; ms since 1970. */
  add(event: Omit<ApiEvent, 'id' | 'at'>, time = Date.now()): ApiEvent {
    const added = {...event, id: this.mark(time), at: time}
    this.#kept.push(added)
    this.#size += added.data.length
    while (this.#kept.length > this.#max || this.#size > MAX_SIZE) this.#forget()
    return added
  }

  /** An id for this moment. */
  mark(time = Date.now()): number {
    this.#moments.push({id: ++this.#last, at: performance.now() - (Date.now() - time), time})
    if (this.#moments.length > 2 * this.#max) this.#moments.splice(0, this.#max)
    return this.#last
  }

  /** The time of an event id; undefined if the event was dropped, or the id is not from this run. */
  momentOf(id: number): Moment | undefined {
    return this.#moments.find(moment => moment.id === id)
  }

  /** The events after this id; undefined if some of them were dropped, or the id is not from this run. 0: all that are kept. */
  after(id: number): readonly ApiEvent[] | undefined {
    if (id === 0) return this.#kept
    return id < this.#forgotten || id > this.#last ? undefined : this.#kept.filter(event => event.id > id)
  }

  #forget(): void {
    const first = this.#kept.shift()
    if (first === undefined) return
    this.#size -= first.data.length
    this.#forgotten = first.id
  }
}
