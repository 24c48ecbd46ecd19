import {randomUUID} from 'node:crypto'
import type {Handled, BrokerMessage} from '../../components/pubsub.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {BulkSettings} from '../../../files/resources/subscriptions.ts'
import {systemClock} from '../../../platform/clock.ts'
import type {BatchEntry, EventChannel, EventTarget} from './event-channel.ts'
import type {EventDelivery} from './event-delivery.ts'
import {endSpan, inSpan, type EventOutcome} from './event-outcome.ts'

interface Waiting extends BatchEntry {
  readonly message: BrokerMessage
  readonly resolve: (handled: Handled) => void
  outcome?: EventOutcome
}

interface Targeted {
  /** Destination of the entries with a path, if there are any. */
  readonly target: EventTarget | undefined
  readonly entries: readonly Waiting[]
  /** Entries without a path. */
  readonly nowhere: readonly Waiting[]
}

const isLeft = ({outcome}: Waiting): boolean =>
  outcome === undefined || outcome.kind === 'failed' || outcome.kind === 'interrupted'

/**
 * Delivers the events of a subscription in batches of `maxAwaitMs`, in one request after the other for each path of its rules (Dapr: pkg/runtime/subscription, bulk subscribe). Only failed events are delivered again.
 */
export class BulkDelivery {
  /** Current settings, which may change while the topic is read. */
  settings: BulkSettings
  readonly #delivery: EventDelivery
  readonly #channel: EventChannel
  readonly #over: AbortSignal
  #waiting: Waiting[] = []
  #callOff: (() => void) | undefined

  constructor(delivery: EventDelivery, channel: EventChannel, settings: BulkSettings, over: AbortSignal) {
    this.#delivery = delivery
    this.#channel = channel
    this.settings = settings
    this.#over = over
    over.addEventListener('abort', () => this.flush(), {once: true})
  }

  /** Delivers a message together with others. Never rejects. */
  async handle(message: BrokerMessage): Promise<Handled> {
    const event = this.#delivery.read(message)
    if (event instanceof Error) return this.#delivery.fail(message, event.message, 'without id')
    return new Promise(resolve => {
      this.#waiting.push({message, event, entryId: randomUUID(), resolve})
      if (this.#waiting.length >= this.settings.maxMessages || this.#over.aborted) this.flush()
      else this.#callOff ??= systemClock.after(this.settings.maxAwaitMs, () => this.flush())
    })
  }

  flush(): void {
    this.#callOff?.()
    this.#callOff = undefined
    void this.#deliverSome(this.#waiting.splice(0))
  }

  /**
   * Delivers the entries of one path, since an attempt of a policy has one request at a time, then the other paths. A retry,
   * even an endless one, does not delay other entries: each is acknowledged once it is handled.
   */
  async #deliverSome(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return
    const left = new Set(batch)
    let tried = batch
    const outcome = await this.#delivery.attempt(async attempt => {
      const isFirst = tried === batch
      const {target, entries, nowhere} = this.#targetOf(tried.filter(isLeft))
      tried = [...entries, ...nowhere]
      const worst = target && (await this.#deliver(target, entries, attempt))
      for (const each of tried) if (!isLeft(each) && left.delete(each)) void this.#conclude(each)
      const others = isFirst ? batch.filter(each => !tried.includes(each) && left.delete(each)) : []
      void this.#deliverSome(others)
      return worst === undefined || worst.kind === 'success'
        ? (nowhere.find(isLeft)?.outcome ?? {kind: 'success'})
        : worst
    })
    for (const each of tried) if (left.delete(each)) void this.#conclude(each, outcome)
    // entries that are left after a policy ended the attempt, or whose routes changed between two attempts
    void this.#deliverSome(batch.filter(each => left.delete(each)))
  }

  async #conclude({message, event, resolve, outcome: own}: Waiting, last?: EventOutcome): Promise<void> {
    const outcome = last?.kind === 'stopped' ? last : (own ?? last)
    if (outcome !== undefined) resolve(await this.#delivery.conclude(outcome, message, event))
  }

  /** Finds the first path and its events. Events without a path get their outcome. */
  #targetOf(batch: readonly Waiting[]): Targeted {
    const nowhere: Waiting[] = []
    const routed = batch.flatMap(each => {
      const target = this.#delivery.route(each.event)
      if (!('kind' in target)) return [{each, target}]
      each.outcome = target
      nowhere.push(each)
      return []
    })
    const target = routed[0]?.target
    return {target, entries: routed.flatMap(({each, target: {path}}) => (path === target?.path ? each : [])), nowhere}
  }

  /** Delivers events to one path; the result is the worst of their outcomes. */
  async #deliver(target: EventTarget, entries: readonly Waiting[], attempt?: AttemptControl): Promise<EventOutcome> {
    const startedAt = performance.now()
    const spans = entries.map(({event}) => this.#delivery.startSpan(event))
    const sent = entries.map(({entryId, event}, at) => ({entryId, event: inSpan(event, spans[at])}))
    const given = await this.#channel.deliverBatch(target, sent, attempt)
    const answers = 'kind' in given ? entries.map(() => given) : given
    this.#delivery.countBatch(answers, performance.now() - startedAt)
    for (const [at, each] of entries.entries()) {
      const answer = answers[at]
      if (answer === undefined) continue
      endSpan(spans[at], answer)
      // the next attempt may have another answer by now
      if (attempt?.isStopped !== true) each.outcome = answer
    }
    const worst = answers.find(({kind}) => kind === 'interrupted') ?? answers.find(({kind}) => kind === 'failed')
    return worst ?? {kind: 'success'}
  }
}
