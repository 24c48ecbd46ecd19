import {randomUUID} from 'node:crypto'
import type {Handled, BrokerMessage} from '../../components/pubsub.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {MAX_TIMER_MS} from '../../../files/resources/go-duration.ts'
import type {BulkSettings} from '../../../files/resources/subscriptions.ts'
import type {BatchEntry, EventChannel, EventTarget} from './event-channel.ts'
import type {EventDelivery} from './event-delivery.ts'
import {endSpan, inSpan, type EventOutcome} from './event-outcome.ts'

/** A message that waits for others. */
interface Waiting extends BatchEntry {
  readonly message: BrokerMessage
  readonly resolve: (handled: Handled) => void
  /** Its outcome so far. */
  outcome?: EventOutcome
}

/** Whether the message has to be delivered again. */
const isLeft = ({outcome}: Waiting): boolean =>
  outcome === undefined || outcome.kind === 'failed' || outcome.kind === 'interrupted'

/**
 * Delivers the events of a subscription in batches: those that arrive within `maxAwaitMs`, in one request for each path of
 * its rules (Dapr: pkg/runtime/subscription, bulk subscribe). Only those that failed are delivered again.
 */
export class BulkDelivery {
  readonly #delivery: EventDelivery
  readonly #channel: EventChannel
  readonly #settings: BulkSettings
  readonly #over: AbortSignal
  #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(delivery: EventDelivery, channel: EventChannel, settings: BulkSettings, over: AbortSignal) {
    this.#delivery = delivery
    this.#channel = channel
    this.#settings = settings
    this.#over = over
    over.addEventListener('abort', () => void this.#flush(), {once: true})
  }

  /** Delivers a message together with others. Never rejects. */
  async handle(message: BrokerMessage): Promise<Handled> {
    const event = this.#delivery.read(message)
    if (event instanceof Error) return this.#delivery.fail(message, event.message, 'without id')
    return new Promise(resolve => {
      this.#waiting.push({message, event, entryId: randomUUID(), resolve})
      if (this.#waiting.length >= this.#settings.maxMessages || this.#over.aborted) void this.#flush()
      else this.#timer ??= setTimeout(() => void this.#flush(), Math.min(this.#settings.maxAwaitMs, MAX_TIMER_MS))
    })
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = this.#waiting
    if (batch.length === 0) return
    this.#waiting = []
    const outcome = await this.#delivery.attempt(async attempt => this.#deliver(batch.filter(isLeft), attempt))
    for (const {message, event, resolve, outcome: own} of batch) {
      const last = outcome.kind === 'stopped' && (own === undefined || own.kind === 'interrupted') ? outcome : own
      resolve(await this.#delivery.conclude(last ?? outcome, message, event))
    }
  }

  /** Delivers a batch; the result is the worst outcome of its events. */
  async #deliver(batch: readonly Waiting[], attempt?: AttemptControl): Promise<EventOutcome> {
    const paths = new Map<string, {readonly target: EventTarget; readonly entries: Waiting[]}>()
    for (const each of batch) {
      const target = this.#delivery.route(each.event)
      if ('kind' in target) each.outcome = target
      else {
        const known = paths.get(target.path)
        if (known === undefined) paths.set(target.path, {target, entries: [each]})
        else known.entries.push(each)
      }
    }
    const sending = [...paths.values()].map(async ({target, entries}) => {
      const startedAt = performance.now()
      const spans = entries.map(({event}) => this.#delivery.startSpan(event))
      const sent = entries.map(({entryId, event}, at) => ({entryId, event: inSpan(event, spans[at])}))
      const given = await this.#channel.deliverBatch(target, sent, attempt)
      const answers = 'kind' in given ? entries.map(() => given) : given
      this.#delivery.countBatch(answers, performance.now() - startedAt)
      for (const [at, each] of entries.entries()) {
        const answer = answers[at]
        if (answer === undefined) continue
        each.outcome = answer
        endSpan(spans[at], answer)
      }
    })
    await Promise.all(sending)
    const outcomes = batch.map(({outcome}) => outcome)
    const worst = outcomes.find(each => each?.kind === 'interrupted') ?? outcomes.find(each => each?.kind === 'failed')
    return worst ?? {kind: 'success'}
  }
}
