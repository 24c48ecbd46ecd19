import {isGone} from '../../control/ask.ts'
import type {FoundRun} from '../../control/client.ts'
import type {Event} from '../../model/api.generated.ts'

/** Types of events, and the last known one; `once` asks for existing events only. */
interface WantedEvents {
  readonly types: string
  readonly app?: string
  readonly after?: string | undefined
  readonly once?: '1'
}

/**
 * The events of a run until it has ended; `bye` is the last one, unless it was killed. A reader that takes nothing for a while is disconnected by
 * the run: it connects again, and gets the missed events. Rejects when `signal` aborts.
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
