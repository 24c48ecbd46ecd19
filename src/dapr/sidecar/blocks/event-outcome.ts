import {failureWords} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {Outcomes, Verdict} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {ProcessStatus} from '../../../model/component-event.ts'
import type {BlockSpan} from './block-context.ts'
import type {AppEvent, EventAnswer} from './event-channel.ts'
import {STOPPED, type Stopped} from './held-delivery.ts'

/** Result of a delivery: an answer of the app, or why the app did not get the event. */
export type EventOutcome = EventAnswer | Stopped | {readonly kind: 'expired' | 'unrouted'}

/** The outcome of an event that crashes the app again and again. */
export const CRASHED: EventOutcome = {
  kind: 'failed',
  status: 0,
  text: 'the process of the app ended each time before it answered'
}

/** How policies treat the outcomes of deliveries. */
export const OUTCOMES: Outcomes<EventOutcome> = {
  judge,
  failed: reason => (reason === 'cancelled' ? STOPPED : {kind: 'failed', status: 0, text: failureWords(reason)}),
  discard: () => undefined
}

/** Judges an outcome. Only an answer that may change next time is a failure; 404 and DROP are not. */
function judge(outcome: EventOutcome): Verdict {
  if (outcome.kind === 'stopped') return 'excluded'
  if (outcome.kind === 'interrupted') return 'failed'
  if (outcome.kind !== 'failed') return 'success'
  // a status of HTTP, or a code of gRPC
  return outcome.status >= 300 || (outcome.status > 0 && outcome.status <= 16) ? outcome.status : 'failed'
}

export const inSpan = (event: AppEvent, span: BlockSpan | undefined): AppEvent =>
  span === undefined ? event : {...event, traceparent: span.traceparent}

/** Ends the span of an event with the app's answer. */
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
