import {setImmediate as nextTurn} from 'node:timers/promises'
import type {Attributes, Sender} from './received.ts'
import {itemsOf, type Signal} from './read-export.ts'
import {readLogRecord, readSpan, Rejected} from './read-span.ts'
import type {SpanStore} from './span-store.ts'

/** The attribute of a resource by which an app of the run is known, whatever its code says of `service.name`. */
export const APP_ATTRIBUTE = 'pillion.app'
/** How long a batch is read in one turn of the event loop, in ms: calls are served in between. */
const TURN_MS = 1

/** The result of a request. */
export interface Taken {
  readonly rejected: number
  /** Why; '' = nothing was rejected. */
  readonly why: string
}

/** Keeps the items of a request. Rejects with a DecodeError if it is broken, and keeps the items before the break. */
export async function takeExport(
  store: SpanStore,
  {signal, body, isJson}: {readonly signal: Signal; readonly body: Buffer; readonly isJson: boolean},
  isApp: (id: string) => boolean
): Promise<Taken> {
  let rejected = 0
  let why = ''
  let until = performance.now() + TURN_MS
  for (const {resource, scope, message} of itemsOf(signal, body, isJson)) {
    if (performance.now() > until) {
      await nextTurn()
      until = performance.now() + TURN_MS
    }
    const reading = {scope, sender: senderOf(resource, isApp), now: Date.now()}
    try {
      if (signal === 'traces') store.addSpan(readSpan(message, reading), scope)
      else {
        const log = readLogRecord(message, reading)
        if (log !== undefined) store.addLog(log)
      }
    } catch (error) {
      if (!(error instanceof Rejected)) throw error
      rejected++
      why = error.message
    }
  }
  return {rejected, why}
}

function senderOf(resource: Attributes, isApp: (id: string) => boolean): Sender {
  const valueOf = (wanted: string): string => resource.findLast(([name]) => name === wanted)?.[1] ?? ''
  const [marked, service] = [valueOf(APP_ATTRIBUTE), valueOf('service.name')]
  const app = isApp(marked) ? marked : service
  return {app: app || 'unknown_service', isApp: isApp(app)}
}
