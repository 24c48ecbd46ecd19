import {randomUUID} from 'node:crypto'
import type {Handled, BrokerMessage} from '../../components/pubsub.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {BulkSettings} from '../../../files/resources/subscriptions.ts'
import {systemClock} from '../../../platform/clock.ts'
import type {BatchEntry, EventChannel, EventTarget} from './event-channel.ts'
import type {EventDelivery} from './event-delivery.ts'
import {endSpan, inSpan, type EventOutcome} from './event-outcome.ts'

/** An event that waits for its batch or for its answer. */
interface Waiting extends BatchEntry {
  readonly message: BrokerMessage
  readonly resolve: (handled: Handled) => void
  outcome?: EventOutcome
}

interface Targeted {
  /** Path of the first entry that has one; undefined: no entry has a path. */
  readonly target: EventTarget | undefined
  /** Entries with this path. */
  readonly entries: readonly Waiting[]
  /** Entries without a path: no route matches, or they have expired. Their outcome is set. */
  readonly nowhere: readonly Waiting[]
}

const isLeft = ({outcome}: Waiting): boolean =>
  outcome === undefined || outcome.kind === 'failed' || outcome.kind === 'interrupted'

/** Delivers the events of a subscription in batches, one request for each path of its routes (Dapr: pkg/runtime/subscription, bulk subscribe). */
export class BulkDelivery {
  /** Current settings, which may change while the topic is read. */
  settings: BulkSettings
  readonly #delivery: EventDelivery
  readonly #channel: EventChannel
  readonly #signal: AbortSignal
  #waiting: Waiting[] = []
  /** Cancels the timer of the current batch; undefined: no event waits. */
  #cancelTimer: (() => void) | undefined

  constructor(delivery: EventDelivery, channel: EventChannel, settings: BulkSettings, signal: AbortSignal) {
    this.#delivery = delivery
    this.#channel = channel
    this.settings = settings
    this.#signal = signal
    signal.addEventListener('abort', () => this.flush(), {once: true})
  }

  /** Delivers a message together with others. Never rejects. */
  async handle(message: BrokerMessage): Promise<Handled> {
    const event = this.#delivery.read(message)
    if (event instanceof Error) return this.#delivery.fail(message, event.message, 'without id')
    return new Promise(resolve => {
      this.#waiting.push({message, event, entryId: randomUUID(), resolve})
      if (this.#waiting.length >= this.settings.maxMessages || this.#signal.aborted) this.flush()
      else this.#cancelTimer ??= systemClock.after(this.settings.maxAwaitMs, () => this.flush())
    })
  }

  /** Delivers the events that wait, before their batch is full. */
  flush(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    void this.#deliverSome(this.#waiting.splice(0))
  }

  /**
   * Delivers the entries of one path under the policies, since an attempt of a policy is one request. Entries of other paths are delivered
   * by a further call. A retry, even an endless one, does not delay other entries: each is acknowledged once it is handled.
   */
  async #deliverSome(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return
    const left = new Set(batch)
    let tried = batch
    const outcome = await this.#delivery.underPolicies(async attempt => {
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
    // a policy ended the attempt before these, or their routes changed between two attempts
    void this.#deliverSome(batch.filter(each => left.delete(each)))
  }

  async #conclude({message, event, resolve, outcome: own}: Waiting, last?: EventOutcome): Promise<void> {
    const outcome = last?.kind === 'stopped' ? last : (own ?? last)
    if (outcome !== undefined) resolve(await this.#delivery.conclude(outcome, message, event))
  }

  /** Finds the first path and its entries. Sets the outcome of entries without a path. */
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

  /** Delivers entries to one path, and sets their outcomes. Resolves with the worst outcome, for the policies. */
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
      // after the attempt is stopped, the next attempt may have set a newer outcome
      if (attempt?.isStopped !== true) each.outcome = answer
    }
    const worst = answers.find(({kind}) => kind === 'interrupted') ?? answers.find(({kind}) => kind === 'failed')
    return worst ?? {kind: 'success'}
  }
}
