import type {EarlyEvent, RunEvent} from '../model/events.ts'
import {words} from '../model/words.ts'

/** Maximum number of events; older ones are dropped. */
const MAX_EVENTS = 500

/** The latest events of a run before its first client, so that a page opened late can show the past. */
export class EarlyEvents {
  #kept: EarlyEvent[] = []

  noticed(event: RunEvent): void {
    const at = Date.now()
    if (event.type === 'app-moved') this.#keep({at, type: 'app', app: event.app()})
    else if (KEPT.has(event.type)) this.#keep({at, type: 'event', event})
  }

  /** Returns the events since the last call. */
  take(): readonly EarlyEvent[] {
    const taken = this.#kept
    this.#kept = []
    return taken
  }

  #keep(event: EarlyEvent): void {
    this.#kept.push(event)
    if (this.#kept.length > MAX_EVENTS) this.#kept.shift()
  }
}

const KEPT: ReadonlySet<RunEvent['type']> = new Set(
  words('reloaded warned notified fault-changed app-asleep app-woken')
)
