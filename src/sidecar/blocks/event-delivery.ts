import type {AppComponent} from '../../components/app-components.ts'
import type {Handled, Message} from '../../components/pubsub.ts'
import type {AttemptControl} from '../../gateway/interceptors/resiliency/attempt.ts'
import type {Outcomes, ResilientCall, Verdict} from '../../gateway/interceptors/resiliency/resilient-call.ts'
import type {ProcessStatus} from '../../model/component-event.ts'
import {messageOf} from '../../model/errors.ts'
import {pause} from '../../platform/delay.ts'
import type {TopicSubscription} from '../../resources/subscriptions.ts'
import {policyTarget, type BlockContext, type BlockSpan} from './block-context.ts'
import {hasExpired, parseEvent, rawEvent} from './cloud-event.ts'
import type {AppEvent, EventAnswer, EventChannel, EventTarget} from './event-channel.ts'

export interface EventDeliveryOptions {
  readonly context: BlockContext
  readonly channel: EventChannel
  readonly broker: AppComponent<'pubsub'>
  /** As it is now: its routes may change while it lasts. */
  readonly subscription: () => TopicSubscription
  /** Aborted when nothing more is to be delivered; what the app has already may still be answered. */
  readonly over: AbortSignal
}

/** A message whose app crashes so often while it handles it has failed. */
const MAX_INTERRUPTIONS = 3
const NOTICED_MS = 50

/** What becomes of an event that the app does not get. `stopped`: nothing more is delivered, the broker keeps it. */
type Undelivered = {readonly kind: 'stopped'} | {readonly kind: 'expired'} | {readonly kind: 'unrouted'}

export type Outcome = EventAnswer | Undelivered

type Deliver = (attempt?: AttemptControl) => Promise<Outcome>

const STOPPED: Undelivered = {kind: 'stopped'}

/** A failure is what the app may answer otherwise the next time; 404 and DROP are none. */
function judge(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case 'success':
    case 'drop':
    case 'unknown':
    case 'expired':
    case 'unrouted':
      return 'success'
    case 'failed':
      return isFailingStatus(outcome.status) ? outcome.status : 'failed'
    case 'interrupted':
      return 'failed'
    case 'stopped':
      return 'excluded'
  }
}

/** Of HTTP, or a code of gRPC. */
const isFailingStatus = (status: number): boolean => status >= 300 || (status > 0 && status <= 16)

const OUTCOMES: Outcomes<Outcome> = {
  judge,
  failed: reason => {
    if (reason === 'cancelled') return STOPPED
    return {kind: 'failed', status: 0, text: reason === 'timeout' ? 'context deadline exceeded' : reason}
  },
  discard: () => undefined
}

/**
 * Delivers the events of one subscription to the app, and decides what becomes of those that fail (Dapr:
 * pkg/runtime/pubsub). An event is held while the app starts, reloads or is unhealthy: that counts as no failure.
 */
export class EventDelivery {
  readonly #options: EventDeliveryOptions
  readonly #waiting = new Set<ResilientCall<Outcome>>()
  /** What spans of its events are called. */
  #spanOf = spanOf('')

  constructor(options: EventDeliveryOptions) {
    this.#options = options
    options.over.addEventListener(
      'abort',
      () => {
        for (const call of this.#waiting) call.cancel()
      },
      {once: true}
    )
  }

  /** Delivers one message. Never rejects. */
  async handle(message: Message): Promise<Handled> {
    const event = this.read(message)
    if (event instanceof Error) return this.fail(message, event.message, 'without id')
    const outcome = await this.attempt(attempt => this.#deliver(event, attempt))
    if (outcome.kind !== 'success') return this.conclude(outcome, message, event)
    this.#succeeded(event)
    return 'done'
  }

  /** The event of a message, or why it is none. */
  read(message: Message): AppEvent | Error {
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

  /** Where an event goes by the routes of now. */
  route({fields}: AppEvent): EventTarget | Exclude<Outcome, {kind: 'stopped'}> {
    const subscription = this.#options.subscription()
    if (hasExpired(fields)) return {kind: 'expired'}
    try {
      const rule = subscription.rules.find(({fits}) => fits(fields))
      return rule === undefined ? {kind: 'unrouted'} : {subscription, path: rule.path}
    } catch (error) {
      const text = messageOf(error)
      const {pubsubName, topic} = subscription
      const of = `event ${String(fields['id'])} in pubsub ${pubsubName} and topic ${topic}`
      this.#options.context.log.write('error', `error finding matching route for ${of}: ${text}`)
      return {kind: 'failed', status: 0, text}
    }
  }

  /** Delivers with the inbound policies of the component, once the app takes events. */
  attempt(deliver: Deliver): Promise<Outcome> {
    const {context, subscription} = this.#options
    const policies = context.policies()
    const found = policies?.find(policyTarget('pubsub', subscription().pubsubName, 'inbound'))
    return policies === undefined || found === undefined
      ? this.#held(deliver)
      : this.#treated(policies.call(found, OUTCOMES), deliver)
  }

  async #treated(call: ResilientCall<Outcome>, deliver: Deliver): Promise<Outcome> {
    this.#waiting.add(call)
    try {
      return await call.run(async attempt => this.#held(deliver, attempt))
    } finally {
      this.#waiting.delete(call)
    }
  }

  /** What follows from the app's answer. */
  async conclude(outcome: Outcome, message: Message, event: AppEvent): Promise<Handled> {
    if (outcome.kind === 'success') {
      this.#succeeded(event)
      return 'done'
    }
    const {log} = this.#options.context
    const {topic, pubsubName} = this.#options.subscription()
    const id = idOf(event)
    const when = `while processing pub/sub event ${id}`
    switch (outcome.kind) {
      case 'stopped':
        return 'returned'
      case 'expired':
        this.#count('drop', 'drop')
        log.write('warn', `dropping expired pub/sub event ${id} as of ${String(event.fields['expiration'])}`)
        return 'done'
      case 'unrouted':
        this.#count('drop', 'success')
        log.write('warn', `no matching route for event ${id} in pubsub ${pubsubName} and topic ${topic}; skipping`)
        return this.#toDeadLetters(message)
      case 'drop':
        log.write('warn', `DROP status returned from app ${when}`)
        return this.#toDeadLetters(message)
      case 'unknown':
        log.write(
          'error',
          `non-retriable error returned from app ${when}: ${outcome.text}. status code returned: ${outcome.status.toString()}`
        )
        return this.#toDeadLetters(message)
      case 'interrupted':
      case 'failed': {
        const status = outcome.kind === 'failed' ? outcome.status : 0
        const answer = `body: ${outcome.text}. status code returned: ${status.toString()}`
        log.write('warn', `retriable error returned from app ${when}, topic: ${topic}, ${answer}`)
        return this.fail(message, status === 0 ? outcome.text : `${status.toString()} ${outcome.text}`.trim(), id)
      }
    }
  }

  #succeeded(event: AppEvent): void {
    const {context, subscription} = this.#options
    if (context.log.isDebug)
      context.log.write('debug', `app processed pub/sub event ${idOf(event)} of topic ${subscription().topic}`)
  }

  async #deliver(event: AppEvent, attempt?: AttemptControl): Promise<Outcome> {
    const target = this.route(event)
    if ('kind' in target) return target
    const span = this.startSpan(event)
    const startedAt = performance.now()
    const sent = span === undefined ? event : {...event, traceparent: span.traceparent}
    const answer = await this.#options.channel.deliver(target, sent, attempt)
    endSpan(span, answer)
    const status = processStatusOf(answer)
    if (status !== undefined)
      this.#count(status, answer.kind === 'drop' ? 'success' : status, performance.now() - startedAt)
    return answer
  }

  /** Delivers when the app takes events, again if its process ends before it answers. */
  async #held(deliver: Deliver, attempt?: AttemptControl): Promise<Outcome> {
    const {channel, over} = this.#options
    for (let interruptions = 0; interruptions < MAX_INTERRUPTIONS;) {
      const held = channel.ready(over)
      if (held !== undefined) {
        attempt?.pause()
        await held
        attempt?.resume()
      }
      if (over.aborted) return STOPPED
      const answer = await deliver(attempt)
      if (answer.kind !== 'interrupted' || attempt?.isStopped === true) return answer
      if (over.aborted) return STOPPED
      if (answer.isSent) interruptions++
      // that it does not listen any more is noticed in a moment
      else await pause(NOTICED_MS, over)
    }
    return {kind: 'failed', status: 0, text: 'the process of the app ended each time before it answered'}
  }

  /** A message that has failed for good: kept as a dead letter or by the broker, or told to be lost. */
  async fail(message: Message, answer: string, id: string): Promise<Handled> {
    const {context, broker, subscription} = this.#options
    const {deadLetterTopic, pubsubName, topic} = subscription()
    if (deadLetterTopic !== '') {
      const handled = await this.#toDeadLetters(message)
      const status = handled === 'done' ? 'drop' : 'retry'
      this.#count(status, status)
      return handled
    }
    this.#count('retry', 'retry')
    if (broker.component.keepsFailed === true) {
      context.log.write('warn', `event ${id} of topic ${topic} goes back to the broker of pubsub ${pubsubName}`)
      return 'failed'
    }
    context.log.write(
      'warn',
      `event ${id} of topic ${topic} in pubsub ${pubsubName} is lost: the app answered ${oneLine(answer)}. A deadLetterTopic of the subscription keeps such events; a retry policy in targets.components.${pubsubName}.inbound of a Resiliency delivers them again`
    )
    context.log.warn(
      'message-lost',
      `"${context.appId}" failed to handle an event of topic ${topic} in pubsub ${pubsubName}, which is lost: ${oneLine(answer)}. A deadLetterTopic keeps such events, a retry policy delivers them again; further ones are in the sidecar's log`
    )
    return 'done'
  }

  /** Of an event that has a trace (Dapr: pkg/diagnostics, StartInternalCallbackSpan). */
  startSpan({fields}: AppEvent): BlockSpan | undefined {
    const {context, subscription} = this.#options
    const trace = fields['traceparent'] ?? fields['traceid']
    if (typeof trace !== 'string') return undefined
    const {topic} = subscription()
    if (topic !== this.#spanOf.topic) this.#spanOf = spanOf(topic)
    return context.startSpan(this.#spanOf.name, trace, this.#spanOf.attributes)
  }

  /** The app has answered a request with several events. */
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

  #count(processStatus: ProcessStatus, status: ProcessStatus, elapsedMs = 0): void {
    const {context, subscription} = this.#options
    const {pubsubName: component, topic, bulk} = subscription()
    if (bulk !== undefined) return // those are counted together
    context.counted({type: 'delivered', component, topic, processStatus, status, elapsedMs})
  }

  /** Publishes a message as it is to the dead letter topic, if there is one. */
  async #toDeadLetters(message: Message): Promise<Handled> {
    const {context, broker, subscription} = this.#options
    const {deadLetterTopic, pubsubName, topic} = subscription()
    if (deadLetterTopic === '') return 'done'
    try {
      const call = {block: 'pubsub', name: pubsubName} as const
      await context.outbound(call, async () => broker.component.publish(broker.topicPrefix + deadLetterTopic, message))
      if (context.log.isDebug)
        context.log.write('debug', `sent an event of topic ${topic} to the dead letter topic ${deadLetterTopic}`)
      return 'done'
    } catch (error) {
      context.log.write(
        'error',
        `error sending message to dead letter, origin topic: ${topic} dead letter topic ${deadLetterTopic} err: ${messageOf(error)}`
      )
      return 'returned'
    }
  }
}

const spanOf = (topic: string) => ({
  topic,
  name: `pubsub/${topic}`,
  attributes: {'messaging.system': 'pubsub', 'messaging.destination.name': topic}
})

/** The app has answered. */
export function endSpan(span: BlockSpan | undefined, answer: EventAnswer): void {
  if (answer.kind === 'success' || answer.kind === 'drop') span?.end(0, '')
  else span?.end(answer.kind === 'interrupted' ? 0 : answer.status, answer.text || answer.kind)
}

/** How Dapr counts an answer; undefined: the app did not get the event. */
function processStatusOf(answer: EventAnswer): ProcessStatus | undefined {
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

/** For messages: an id is any text. */
const idOf = ({fields: {id}}: AppEvent): string => (typeof id === 'string' ? id : JSON.stringify(id ?? ''))

const MAX_SHOWN = 200

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line
}

function isRaw({metadata}: TopicSubscription): boolean {
  for (const key in metadata)
    if (key.toLowerCase() === 'rawpayload' && /^(?:1|t|true)$/i.test(metadata[key] ?? '')) return true
  return false
}

function eventOf({data, metadata}: Message, subscription: TopicSubscription): AppEvent {
  if (!isRaw(subscription)) return {fields: parseEvent(data), body: data, metadata}
  const fields = rawEvent(data, {...subscription, metadata})
  return {fields, body: Buffer.from(JSON.stringify(fields)), raw: data, metadata}
}
