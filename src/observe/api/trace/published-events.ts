import type {TracedCall} from './link-calls.ts'

/** The use of a component, and the id of the event that it published; '' = none. */
export interface PublishedCall {
  readonly event: string
  readonly call: TracedCall
}

/** Maximum number of events that one id may mean. */
const MAX_ALIKE = 8

/** The events that were published until now, by their ids. An app may choose an id, and use it again. */
export class PublishedEvents {
  readonly #ofId = new Map<string, TracedCall[]>()

  add({event, call}: PublishedCall): void {
    if (event === '') return
    const known = this.#ofId.get(event) ?? []
    this.#ofId.set(event, [...known.slice(1 - 2 * MAX_ALIKE), call])
  }

  /** The latest that a delivery of `PUBSUB/TOPIC` may be about; of other topics if there are none of this one: a dead letter comes by a topic of its own. */
  of(event: string, topic: string): readonly number[] {
    const known = this.#ofId.get(event) ?? []
    const ofTopic = known.filter(({to, path}) => `${to}/${path}` === topic)
    return (ofTopic.length > 0 ? ofTopic : known).slice(-MAX_ALIKE).map(({number}) => number)
  }
}
