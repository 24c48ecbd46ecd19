import {hash} from 'node:crypto'
import type {AppComponent} from '../../components/app-components.ts'
import {textNamed} from '../../components/component-values.ts'
import type {Handled, BrokerMessage} from '../../components/pubsub.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {until} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {ProcessStatus} from '../../../model/component-event.ts'
import {messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import type {BlockContext, BlockSpan} from './block-context.ts'
import {hasExpired, parseEvent, rawEvent} from './cloud-event.ts'
import type {AppEvent, EventAnswer, EventChannel, EventTarget} from './event-channel.ts'
import {CRASHED, endSpan, inSpan, OUTCOMES, processStatusOf, type EventOutcome} from './event-outcome.ts'
import {HeldDelivery, STOPPED, type Interrupted, type Stopped} from './held-delivery.ts'

/** Whether the subscription has `rawPayload` in its metadata: its messages need not be CloudEvents. */
const isRaw = ({metadata}: TopicSubscription): boolean => /^(?:1|t|true)$/i.test(textNamed(metadata, 'rawPayload'))

/** Returns the event in a message. Throws if the message is not a CloudEvent and the subscription is not raw. */
function eventOf({data, metadata}: BrokerMessage, subscription: TopicSubscription): AppEvent {
  if (!isRaw(subscription)) return {fields: parseEvent(data), body: data, metadata}
  const fields = rawEvent(data, {...subscription, metadata})
  return {fields, body: Buffer.from(JSON.stringify(fields)), raw: data, metadata}
}

export interface EventDeliveryOptions {
  readonly context: BlockContext
  readonly channel: EventChannel
  readonly broker: AppComponent<'pubsub'>
  /** Returns the subscription, whose routes may change while it is read. */
  readonly subscription: () => TopicSubscription
  /** Aborted when deliveries end. Open events may still be answered. */
  readonly signal: AbortSignal
}

/** Longest delay before a message goes to the dead letter topic again, in ms. The delay doubles each time. */
const LONGEST_MS = 1000
/** The same for raw messages, which have no id: equal messages may be different events. */
const LONGEST_RAW_MS = 20
/** Maximum number of remembered messages that went to the dead letter topic. */
const MAX_DEAD = 10_000

/** Number of processes that may crash while they handle an event. Then the event has failed. */
const MAX_CRASHES = 3

/**
 * Delivers the events of one subscription. The app's answer decides: acknowledge, retry, drop, or dead letter topic (Dapr:
 * pkg/runtime/pubsub). `handle` delivers one event; BulkDelivery delivers batches by the other public methods.
 */
export class EventDelivery {
  readonly #options: EventDeliveryOptions
  readonly #held: HeldDelivery<Exclude<EventOutcome, Interrupted | Stopped>>
  /** How often a message was sent to the dead letter topic, by the hash of its bytes. */
  readonly #deadLetters = new Map<string, number>()
  /** Name and attributes of spans, kept for the next event of the topic. */
  #spanFacts = spanFactsOf('')

  constructor(options: EventDeliveryOptions) {
    this.#options = options
    const {context, channel, subscription, signal} = options
    const hasRoutes = (): boolean => subscription().waits !== true
    this.#held = new HeldDelivery({
      context,
      block: 'pubsub',
      component: () => subscription().pubsubName,
      ready: stopped => channel.ready(stopped, `an event of topic ${subscription().topic}`, hasRoutes),
      outcomes: OUTCOMES,
      interrupted: (_answer, crashes) => {
        if (signal.aborted) return STOPPED
        return crashes < MAX_CRASHES ? undefined : CRASHED
      },
      signal
    })
  }

  /** Delivers one message. Never rejects. */
  async handle(message: BrokerMessage): Promise<Handled> {
    const event = this.read(message)
    if (event instanceof Error) return this.fail(message, event.message, 'without id')
    const outcome = await this.underPolicies(attempt => this.#deliver(event, attempt))
    return outcome.kind === 'success' ? this.#succeeded(event) : this.conclude(outcome, message, event)
  }

  /** Returns the event in a message; an error, which is logged: the message has none. */
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

  /** Calls `deliver` once the app accepts events, and again as the inbound policies of the component say. */
  underPolicies(deliver: (attempt?: AttemptControl) => Promise<EventOutcome>): Promise<EventOutcome> {
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
      this.#count(status, answer.kind === 'drop' ? 'success' : status, performance.now() - startedAt)
    return answer
  }

  /** Returns the app's path for an event by the current routes; an outcome: the event has none, or has expired. */
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
      const of = `event ${idOf(event)} in pubsub ${pubsubName} and topic ${topic}`
      this.#options.context.log.write('error', `error finding matching route for ${of}: ${text}`)
      return {kind: 'failed', status: 0, text}
    }
  }

  /** Starts the span of an event that carries a trace (Dapr: pkg/diagnostics, StartInternalCallbackSpan). */
  startSpan({fields}: AppEvent): BlockSpan | undefined {
    const {context, subscription} = this.#options
    const trace = fields['traceparent'] ?? fields['traceid']
    if (typeof trace !== 'string') return undefined
    const {topic} = subscription()
    if (topic !== this.#spanFacts.topic) this.#spanFacts = spanFactsOf(topic)
    return context.startSpan(this.#spanFacts.name, trace, this.#spanFacts.attributes)
  }

  /** Ends the delivery of a message after its last outcome. Resolves with the consequence for the broker. */
  async conclude(outcome: EventOutcome, message: BrokerMessage, event: AppEvent): Promise<Handled> {
    if (outcome.kind === 'success') return this.#succeeded(event)
    const {log} = this.#options.context
    const {topic, pubsubName, deadLetterTopic} = this.#options.subscription()
    const id = idOf(event)
    const when = `while processing pub/sub event ${id}`
    switch (outcome.kind) {
      case 'stopped':
        return 'returned'
      case 'expired':
        this.#count('drop', 'drop')
        log.write('warn', `dropping expired pub/sub event ${id} as of ${String(event.fields['expiration'])}`)
        return this.#toDeadLetters(message)
      case 'unrouted':
        this.#count('drop', 'success')
        log.write('warn', `no matching route for event ${id} in pubsub ${pubsubName} and topic ${topic}; skipping`)
        return this.#toDeadLetters(message)
      case 'drop':
        log.write('warn', `DROP status returned from app ${when}`)
        return this.#toDeadLetters(message)
      case 'unknown': {
        const answered = `${outcome.text}. status code returned: ${outcome.status}`
        log.write('error', `non-retriable error returned from app ${when}: ${answered}`)
        if (deadLetterTopic === '') this.#warnLost('did not take', this.#refusalOf(event, outcome.status))
        return this.#toDeadLetters(message)
      }
      case 'interrupted':
      case 'failed': {
        const {status, word} = outcome.kind === 'failed' ? outcome : {status: 0, word: undefined}
        const answer = `topic: ${topic}, body: ${outcome.text}. status code returned: ${status}`
        const error = `retriable error returned from app ${when}, ${answer}`
        const byWord = `${word === 'RETRY' ? word : 'unknown'} status returned from app ${when}, status: ${word}`
        log.write('warn', word === undefined ? error : byWord)
        return this.fail(message, status === 0 ? outcome.text : `${status} ${outcome.text}`.trim(), id)
      }
    }
  }

  #succeeded(event: AppEvent): Handled {
    const {context, subscription} = this.#options
    if (context.log.isDebug)
      context.log.write('debug', `app processed pub/sub event ${idOf(event)} of topic ${subscription().topic}`)
    return 'done'
  }

  /** Handles a message that has failed for good: publishes it to the dead letter topic, leaves it at the broker, or reports it as lost. */
  async fail(message: BrokerMessage, answer: string, id: string): Promise<Handled> {
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
    this.#warnLost('failed to handle', answer, ', a retry policy delivers them again')
    return 'done'
  }

  /** Publishes an unchanged message to the dead letter topic, if there is one. */
  async #toDeadLetters(message: BrokerMessage): Promise<Handled> {
    const {context, broker, subscription, signal} = this.#options
    const {deadLetterTopic, pubsubName, topic} = subscription()
    if (deadLetterTopic === '') return 'done'
    const key = hash('sha1', message.data)
    const passes = this.#deadLetters.get(key) ?? 0
    const longestMs = isRaw(subscription()) ? LONGEST_RAW_MS : LONGEST_MS
    if (passes === 1)
      context.log.write(
        'warn',
        `an event of topic ${topic} goes to the dead letter topic ${deadLetterTopic} again: if it goes round, each time takes up to ${longestMs} ms`
      )
    // two dead letter topics that name each other would exchange a message without a pause
    if (passes > 0) await pause(Math.min(longestMs, 10 * 2 ** passes), signal)
    try {
      const call = {block: 'pubsub', name: pubsubName, onGone: until(signal)} as const
      await context.outbound(call, async () => broker.component.publish(broker.topicPrefix + deadLetterTopic, message))
      if (this.#deadLetters.size === MAX_DEAD) this.#deadLetters.clear()
      this.#deadLetters.set(key, passes + 1)
      if (context.log.isDebug)
        context.log.write('debug', `sent an event of topic ${topic} to the dead letter topic ${deadLetterTopic}`)
      return 'done'
    } catch (error) {
      const way = `origin topic: ${topic} dead letter topic ${deadLetterTopic}`
      context.log.write('error', `error sending message to dead letter, ${way} err: ${messageOf(error)}`)
      return 'returned'
    }
  }

  /** Warns that an event is lost. `advice`: how else such events can be kept, after a comma; '': by no other way. */
  #warnLost(did: string, why: string, advice = ''): void {
    const {context, subscription} = this.#options
    const {pubsubName, topic} = subscription()
    context.log.warn(
      'message-lost',
      `"${context.appId}" ${did} an event of topic ${topic} in pubsub ${pubsubName}, which is lost: ${oneLine(why)}. A deadLetterTopic keeps such events${advice}; further ones are in the sidecar's log`
    )
  }

  /** Describes how the app refused an event, with the route: an unknown route is the most common mistake. */
  #refusalOf(event: AppEvent, status: number): string {
    const target = this.route(event)
    return 'path' in target && status > 0 ? `POST ${target.path} answered ${status}` : `it answered ${status}`
  }

  /** Counts the app's answers to a batch. */
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

  /** Counts an event that is delivered by itself. `processStatus` and `status`: Dapr's labels of the same names. */
  #count(processStatus: ProcessStatus, status: ProcessStatus, elapsedMs = 0): void {
    const {context, subscription} = this.#options
    const {pubsubName: component, topic, bulk} = subscription()
    if (bulk !== undefined) return // `countBatch` counts it
    context.counted({type: 'delivered', component, topic, processStatus, status, elapsedMs})
  }
}

const spanFactsOf = (topic: string) => ({
  topic,
  name: `pubsub/${topic}`,
  attributes: {'messaging.system': 'pubsub', 'messaging.destination.name': topic}
})

/** Returns the id of an event, for messages. */
const idOf = ({fields: {id}}: AppEvent): string => (typeof id === 'string' ? id : JSON.stringify(id ?? ''))

/** Maximum characters of an answer that a message quotes. */
const MAX_SHOWN = 200

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line
}
