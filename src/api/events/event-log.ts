import type {ApiEvent} from './event.ts'

const MAX_EVENTS = 4096
const MAX_SIZE = 1024 * 1024

/** The latest events of a run that are no samples, for readers whose connection was lost. */
export class EventLog {
  readonly #max: number
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

  add(event: Omit<ApiEvent, 'id'>): ApiEvent {
    const added = {...event, id: ++this.#last}
    this.#kept.push(added)
    this.#size += added.data.length
    while (this.#kept.length > this.#max || this.#size > MAX_SIZE) this.#forget()
    return added
  }

  /** The events after this one; undefined: some of them are no longer kept, or it is none of this run. */
  after(id: number): readonly ApiEvent[] | undefined {
    return id < this.#forgotten || id > this.#last ? undefined : this.#kept.filter(event => event.id > id)
  }

  #forget(): void {
    const first = this.#kept.shift()
    if (first === undefined) return
    this.#size -= first.data.length
    this.#forgotten = first.id
  }
}
