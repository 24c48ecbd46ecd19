import {failureWords} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {Outcomes, Verdict} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {ProcessStatus} from '../../../model/component-event.ts'
import type {BlockSpan} from './block-context.ts'
import type {AppEvent, EventAnswer} from './event-channel.ts'
import {STOPPED, type Stopped} from './held-delivery.ts'

/** Result of a delivery: an answer of the app, or why the app did not get the event. */
export type EventOutcome = EventAnswer | Stopped | {readonly kind: 'expired' | 'unrouted'}

/** The outcome of an event during whose delivery the app has crashed several times. */
export const CRASHED: EventOutcome = {
  kind: 'failed',
  status: 0,
  text: 'the process of the app ended each time before it answered'
}

/** How resiliency policies treat the outcomes of deliveries. */
export const OUTCOMES: Outcomes<EventOutcome> = {
  judge,
  failed: reason => (reason === 'cancelled' ? STOPPED : {kind: 'failed', status: 0, text: failureWords(reason)}),
  discard: () => undefined
}

/** Judges an outcome. 404 and DROP count as success, since a retry would get the same answer. */
function judge(outcome: EventOutcome): Verdict {
  if (outcome.kind === 'stopped') return 'excluded'
  if (outcome.kind === 'interrupted') return 'failed'
  if (outcome.kind !== 'failed') return 'success'
  // HTTP statuses from 300, and gRPC codes up to 16
  return outcome.status >= 300 || (outcome.status > 0 && outcome.status <= 16) ? outcome.status : 'failed'
}

/** Returns the event with the `traceparent` of its span, if there is a span. */
export const inSpan = (event: AppEvent, span: BlockSpan | undefined): AppEvent =>
  span === undefined ? event : {...event, traceparent: span.traceparent}

export function endSpan(span: BlockSpan | undefined, answer: EventAnswer): void {
  if (answer.kind === 'success' || answer.kind === 'drop') span?.end(0, '')
  else span?.end(answer.kind === 'interrupted' ? 0 : answer.status, answer.text || answer.kind)
}

/** Returns the status under which Dapr counts an answer. Undefined if the app did not get the event. */
export function processStatusOf(answer: EventAnswer): ProcessStatus | undefined {
  switch (answer.kind) {
    case 'success':
      return 'success'
    case 'drop':
    case 'unknown':
      return 'drop'
    case 'failed':
      return 'retry'
    case 'interrupted':
      return answer.isSent ? 'retry' : undefined
  }
}
