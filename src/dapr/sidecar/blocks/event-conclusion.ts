import type {AppComponent} from '../../components/app-components.ts'
import type {BrokerMessage, Handled} from '../../components/pubsub.ts'
import {until} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {ProcessStatus} from '../../../model/component-event.ts'
import {messageOf} from '../../../model/errors.ts'
import type {TopicSubscription} from '../../../files/resources/subscriptions.ts'
import type {BlockContext} from './block-context.ts'
import type {AppEvent} from './event-channel.ts'
import type {EventOutcome} from './event-outcome.ts'

/** A subscription whose events are delivered. */
export interface DeliveredSubscription {
  readonly context: BlockContext
  readonly broker: AppComponent<'pubsub'>
  /** Returns the subscription, whose routes may change while it is read. */
  readonly subscription: () => TopicSubscription
  /** Aborted when deliveries end. Open events may still be answered. */
  readonly over: AbortSignal
}

interface EventConclusionContext extends DeliveredSubscription {
  /** Returns the app's path for an event, '' without one. */
  readonly pathOf: (event: AppEvent) => string
}

/** Decides what follows an outcome: the event is done, goes to the dead letter topic or back to the broker, or is lost. */
export class EventConclusion {
  readonly #options: EventConclusionContext

  constructor(options: EventConclusionContext) {
    this.#options = options
  }

  async conclude(outcome: EventOutcome, message: BrokerMessage, event: AppEvent): Promise<Handled> {
    const {log} = this.#options.context
    const {topic, pubsubName, deadLetterTopic} = this.#options.subscription()
    if (outcome.kind === 'success') {
      if (log.isDebug) log.write('debug', `app processed pub/sub event ${eventId(event)} of topic ${topic}`)
      return 'done'
    }
    const id = eventId(event)
    const when = `while processing pub/sub event ${id}`
    switch (outcome.kind) {
      case 'stopped':
        return 'returned'
      case 'expired':
        this.count('drop', 'drop')
        log.write('warn', `dropping expired pub/sub event ${id} as of ${String(event.fields['expiration'])}`)
        return this.#toDeadLetters(message)
      case 'unrouted':
        this.count('drop', 'success')
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
        return this.#failed({status: 0, text: outcome.text}, message, event)
      case 'failed':
        return this.#failed(outcome, message, event)
    }
  }

  #failed(
    {status, text, word}: {readonly status: number; readonly text: string; readonly word?: string},
    message: BrokerMessage,
    event: AppEvent
  ): Promise<Handled> {
    const {context, subscription} = this.#options
    const id = eventId(event)
    const when = `while processing pub/sub event ${id}`
    const answer = `topic: ${subscription().topic}, body: ${text}. status code returned: ${status}`
    const error = `retriable error returned from app ${when}, ${answer}`
    const said = `${word === 'RETRY' ? word : 'unknown'} status returned from app ${when}, status: ${word}`
    context.log.write('warn', word === undefined ? error : said)
    return this.fail(message, status === 0 ? text : `${status} ${text}`.trim(), id)
  }

  /** Handles a message that has failed for good: publishes it to the dead letter topic, leaves it at the broker, or reports it as lost. */
  async fail(message: BrokerMessage, answer: string, id: string): Promise<Handled> {
    const {context, broker, subscription} = this.#options
    const {deadLetterTopic, pubsubName, topic} = subscription()
    if (deadLetterTopic !== '') {
      const handled = await this.#toDeadLetters(message)
      const status = handled === 'done' ? 'drop' : 'retry'
      this.count(status, status)
      return handled
    }
    this.count('retry', 'retry')
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

  /** Counts an event for the metrics, unless its batch is counted. */
  count(processStatus: ProcessStatus, status: ProcessStatus, elapsedMs = 0): void {
    const {context, subscription} = this.#options
    const {pubsubName: component, topic, bulk} = subscription()
    if (bulk !== undefined) return
    context.counted({type: 'delivered', component, topic, processStatus, status, elapsedMs})
  }

  /** Describes the app's refusal and the route. An unknown route is the most common mistake. */
  #refusalOf(event: AppEvent, status: number): string {
    const path = this.#options.pathOf(event)
    return path !== '' && status > 0 ? `POST ${path} answered ${status}` : `it answered ${status}`
  }

  /** Warns that an event is lost. `more` is advice on how to keep such events. */
  #warnLost(did: string, why: string, more = ''): void {
    const {context, subscription} = this.#options
    const {pubsubName, topic} = subscription()
    context.log.warn(
      'message-lost',
      `"${context.appId}" ${did} an event of topic ${topic} in pubsub ${pubsubName}, which is lost: ${oneLine(why)}. A deadLetterTopic keeps such events${more}; further ones are in the sidecar's log`
    )
  }

  /** Publishes an unchanged message to the dead letter topic, if there is one. */
  async #toDeadLetters(message: BrokerMessage): Promise<Handled> {
    const {context, broker, subscription, over} = this.#options
    const {deadLetterTopic, pubsubName, topic} = subscription()
    if (deadLetterTopic === '') return 'done'
    try {
      const call = {block: 'pubsub', name: pubsubName, onGone: until(over)} as const
      await context.outbound(call, async () => broker.component.publish(broker.topicPrefix + deadLetterTopic, message))
      if (context.log.isDebug)
        context.log.write('debug', `sent an event of topic ${topic} to the dead letter topic ${deadLetterTopic}`)
      return 'done'
    } catch (error) {
      const way = `origin topic: ${topic} dead letter topic ${deadLetterTopic}`
      context.log.write('error', `error sending message to dead letter, ${way} err: ${messageOf(error)}`)
      return 'returned'
    }
  }
}

/** Returns the id of an event, for messages to people. */
export const eventId = ({fields: {id}}: AppEvent): string => (typeof id === 'string' ? id : JSON.stringify(id ?? ''))

const MAX_SHOWN = 200

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line
}
