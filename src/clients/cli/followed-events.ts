import {isGone} from '../../control/ask.ts'
import type {FoundRun} from '../../control/client.ts'
import type {Event} from '../../model/api.generated.ts'

/** Query of `GET /events`: types of events, the app, and the id of the last event that the caller has. `once` asks only for existing events. */
interface WantedEvents {
  readonly types: string
  readonly app?: string
  readonly after?: string | undefined
  readonly once?: '1'
}

/**
 * Yields the events of a run until it has ended; the last is `bye`, unless the run was killed. Reconnects after the run has cut off a
 * slow reader, and continues with the missed events. Rejects when `signal` aborts.
 */
export async function* followedEvents(
  {api}: Pick<FoundRun, 'api'>,
  {after, ...wanted}: WantedEvents,
  signal?: AbortSignal
): AsyncGenerator<Event, void> {
  let last = after
  try {
    for (;;) {
      const query = {...wanted, ...(last !== undefined && {after: last})}
      for await (const event of await api.follow('GET /events', {query, signal})) {
        yield event
        if ('id' in event && event.id !== undefined) last = event.id.toString()
        if (event.type === 'bye') return
      }
      if (wanted.once !== undefined) return
    }
  } catch (error) {
    if (!isGone(error)) throw error
  }
}
