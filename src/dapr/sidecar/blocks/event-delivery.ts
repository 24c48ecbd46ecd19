import {textNamed} from '../../components/component-values.ts'
import type {Handled, BrokerMessage} from '../../components/pubsub.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {ProcessStatus} from '../../../model/component-event.ts'
import {messageOf} from '../../../model/errors.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import type {BlockSpan} from './block-context.ts'
import {hasExpired, parseEvent, rawEvent} from './cloud-event.ts'
import type {AppEvent, EventAnswer, EventChannel, EventTarget} from './event-channel.ts'
import {EventConclusion, eventId, type DeliveredSubscription} from './event-conclusion.ts'
import {CRASHED, endSpan, inSpan, OUTCOMES, processStatusOf, type EventOutcome} from './event-outcome.ts'
import {HeldDelivery, STOPPED, type Interrupted, type Stopped} from './held-delivery.ts'

interface EventDeliveryOptions extends DeliveredSubscription {
  readonly channel: EventChannel
}

/** An event has failed when this many processes of the app ended while they handled it. */
const MAX_CRASHES = 3

/**
 * Delivers the events of one subscription to the app: reads the message, finds the route, holds the event until the app is ready, sends it
 * under the policies, and concludes by the answer (Dapr: pkg/runtime/pubsub). `BulkDelivery` does the same for batches.
 */
export class EventDelivery {
  readonly #options: EventDeliveryOptions
  readonly #held: HeldDelivery<Exclude<EventOutcome, Interrupted | Stopped>>
  readonly conclusion: EventConclusion
  #spanOf = spanOf('')

  constructor(options: EventDeliveryOptions) {
    this.#options = options
    const {context, channel, subscription, over} = options
    const mayGo = (): boolean => subscription().waits !== true
    this.#held = new HeldDelivery({
      context,
      block: 'pubsub',
      component: () => subscription().pubsubName,
      ready: signal => channel.ready(signal, `an event of topic ${subscription().topic}`, mayGo),
      outcomes: OUTCOMES,
      interrupted: (_answer, crashes) => {
        if (over.aborted) return STOPPED
        return crashes < MAX_CRASHES ? undefined : CRASHED
      },
      over
    })
    const pathOf = (event: AppEvent): string => {
      const target = this.route(event)
      return 'path' in target ? target.path : ''
    }
    this.conclusion = new EventConclusion({...options, pathOf})
  }

  /** Delivers one message. Never rejects. */
  async handle(message: BrokerMessage): Promise<Handled> {
    const event = this.read(message)
    if (event instanceof Error) return this.conclusion.fail(message, event.message, 'without id')
    const outcome = await this.attempt(attempt => this.#deliver(event, attempt))
    return this.conclusion.conclude(outcome, message, event)
  }

  /** Returns the event in a message, or an error if it is not one. */
  read(message: BrokerMessage): AppEvent | Error {
    const subscription = this.#options.subscription()
    try {
      return eventOf(message, subscription)
    } catch (error) {
      const {pubsubName, topic} = subscription
      const why = `error deserializing cloud event in pubsub ${pubsubName} and topic ${topic}: ${messageOf(error)}`
      this.#options.context.log.write('error', why)
      return new Error(why)
    }
  }

  /** Returns the app's path for an event by the current routes. */
  route(event: AppEvent): EventTarget | Exclude<EventOutcome, {kind: 'stopped'}> {
    const {fields} = event
    const subscription = this.#options.subscription()
    if (hasExpired(fields)) return {kind: 'expired'}
    try {
      const rule = subscription.rules.find(({fits}) => fits(fields))
      return rule === undefined ? {kind: 'unrouted'} : {subscription, path: rule.path}
    } catch (error) {
      const text = messageOf(error)
      const {pubsubName, topic} = subscription
      const of = `event ${eventId(event)} in pubsub ${pubsubName} and topic ${topic}`
      this.#options.context.log.write('error', `error finding matching route for ${of}: ${text}`)
      return {kind: 'failed', status: 0, text}
    }
  }

  /** Delivers under the inbound policies of the component, once the app accepts events. */
  attempt(deliver: (attempt?: AttemptControl) => Promise<EventOutcome>): Promise<EventOutcome> {
    return this.#held.run(deliver)
  }

  async #deliver(event: AppEvent, attempt?: AttemptControl): Promise<EventOutcome> {
    const target = this.route(event)
    if ('kind' in target) return target
    const span = this.startSpan(event)
    const startedAt = performance.now()
    const answer = await this.#options.channel.deliver(target, inSpan(event, span), attempt)
    endSpan(span, answer)
    const status = processStatusOf(answer)
    if (status !== undefined)
      this.conclusion.count(status, answer.kind === 'drop' ? 'success' : status, performance.now() - startedAt)
    return answer
  }

  /** Starts the span of an event that carries a trace (Dapr: pkg/diagnostics, StartInternalCallbackSpan). */
  startSpan({fields}: AppEvent): BlockSpan | undefined {
    const {context, subscription} = this.#options
    const trace = fields['traceparent'] ?? fields['traceid']
    if (typeof trace !== 'string') return undefined
    const {topic} = subscription()
    if (topic !== this.#spanOf.topic) this.#spanOf = spanOf(topic)
    return context.startSpan(this.#spanOf.name, trace, this.#spanOf.attributes)
  }

  /** Counts an app's answers to a batch. */
  countBatch(answers: readonly EventAnswer[], elapsedMs: number): void {
    const {context, subscription} = this.#options
    const {pubsubName: component, topic} = subscription()
    const statuses = new Map<ProcessStatus, number>()
    for (const answer of answers) {
      const status = processStatusOf(answer)
      if (status !== undefined) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    if (statuses.size > 0) context.counted({type: 'bulk-delivered', component, topic, statuses, elapsedMs})
  }
}

/** Returns the event in a message. Throws if it is not a CloudEvent and the subscription does not ask for raw payloads. */
function eventOf({data, metadata}: BrokerMessage, subscription: TopicSubscription): AppEvent {
  const isRaw = /^(?:1|t|true)$/i.test(textNamed(subscription.metadata, 'rawPayload'))
  if (!isRaw) return {fields: parseEvent(data), body: data, metadata}
  const fields = rawEvent(data, {...subscription, metadata})
  return {fields, body: Buffer.from(JSON.stringify(fields)), raw: data, metadata}
}

const spanOf = (topic: string) => ({
  topic,
  name: `pubsub/${topic}`,
  attributes: {'messaging.system': 'pubsub', 'messaging.destination.name': topic}
})
