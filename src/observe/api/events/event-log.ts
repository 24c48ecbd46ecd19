import type {ApiEvent} from './event.ts'

const MAX_EVENTS = 4096
const MAX_SIZE = 1024 * 1024

/** When an event was. `at`: `performance.now()`; `time`, `place`: as in `Since` (`wait/wait-context.ts`). */
interface Moment {
  readonly id: number
  readonly at: number
  readonly time: number
  readonly place: number
}

/** The latest events of a run, without samples, for readers that reconnect. */
export class EventLog {
  readonly #max: number
  readonly #place: () => number
  /** Times of events, and of ids that `mark` gave without an event. */
  readonly #moments: Moment[] = []
  #kept: ApiEvent[] = []
  #size = 0
  #forgotten: number
  #last: number

  /** `first`: a time, so that ids are greater than this and than ids of an earlier run. `place`: returns the number of the next batch in the run's log. */
  constructor(first: number, place: () => number, max = MAX_EVENTS) {
    this.#place = place
    this.#forgotten = first
    this.#last = first
    this.#max = max
  }

  get last(): number {
    return this.#last
  }

  /** Adds an event. `time`: ms since 1970 of an event in the past. */
  add(event: Omit<ApiEvent, 'id' | 'at'>, time?: number): ApiEvent {
    const added = {...event, id: this.mark(time), at: time ?? Date.now()}
    this.#kept.push(added)
    this.#size += added.data.length
    while (this.#kept.length > this.#max || this.#size > MAX_SIZE) this.#forget()
    return added
  }

  /** Returns a new id for now, or for a time in the past (ms since 1970). */
  mark(time?: number): number {
    const ago = time === undefined ? 0 : Date.now() - time
    const since = time === undefined ? {time: 0, place: this.#place()} : {time, place: 0}
    this.#moments.push({id: ++this.#last, at: performance.now() - ago, ...since})
    if (this.#moments.length > 2 * this.#max) this.#moments.splice(0, this.#max)
    return this.#last
  }

  /** Returns the time of an event id. Undefined if the event was dropped, or the id is not from this run. */
  momentOf(id: number): Moment | undefined {
    return this.#moments.find(moment => moment.id === id)
  }

  /** Returns the events after this id. Undefined if some of them were dropped, or the id is not from this run. 0: all that are kept. */
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
