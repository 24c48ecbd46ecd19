import type {AppComponent} from '../../components/app-components.ts'
import {PartlyRefused, type StateOperation} from '../../components/state-store.ts'
import {messageOf} from '../../../model/errors.ts'
import {Once} from '../../../model/once.ts'
import {pause, within} from '../../../platform/delay.ts'
import type {KeptEvent, Outbox} from '../../../work/outbox.ts'
import {until} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {AppBlock, type BlockContext} from './block-context.ts'
import type {Publishing} from './publishing.ts'
import {outboxTransaction, type OutboxTarget} from './outbox-events.ts'
import type {StateChange} from './state-requests.ts'

type Store = AppComponent<'state'>

/** First and longest delay between two tries to publish an event, in ms. */
const FIRST_MS = 500
const LONGEST_MS = 5000
/** Time in ms during which the store may still commit a transaction after the connection to it broke. */
const COMMIT_MS = 60_000

/**
 * Time in ms for which the file keeps an event after its broker has answered. Some brokers write to disk later (the built-in Redis, or
 * Redis with `appendfsync everysec`) and would lose the event if they were killed before.
 */
const SETTLED_MS = 2000

/** Maximum wait of `close` for events that are being published, in ms. */
const CLOSE_MS = 500

/** Makes policies try only once: this class retries without end itself, each time with the current files. */
const ONCE = until(AbortSignal.abort())
const UNCONDITIONAL = {etag: '', metadata: {}, options: {concurrency: '', consistency: ''}} as const

/** Returns the topic to which a store's transactions are published, if any (Dapr: AddOrUpdateOutbox). */
export function outboxOf({name, properties}: Store, app: string): OutboxTarget | undefined {
  const [pubsub, topic] = [properties.text('outboxPublishPubsub'), properties.text('outboxPublishTopic')]
  return pubsub === '' || topic === '' ? undefined : {app, store: name, pubsub, topic}
}

/**
 * Publishes an event for each item that one app saves in a transaction. Before the transaction a row in a file stores the event, and the
 * transaction writes a marker too: a marker in the store proves the commit. So each committed transaction publishes its events at least
 * once, and a transaction that was not committed publishes none.
 */
export class OutboxCalls extends AppBlock {
  readonly #publishing: Publishing
  readonly #closing = new AbortController()
  readonly #claiming = new Once<void>()
  #stopClaiming = (): void => undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(context: BlockContext, publishing: Publishing) {
    super(context)
    this.#publishing = publishing
  }

  /** Resumes events that an earlier run, or an earlier sidecar of the app, left in the file. Works only once. */
  async begin(): Promise<void> {
    await this.#claiming.do(async () => {
      const outbox = await this.context.work.outbox()
      if (this.#closing.signal.aborted) return
      const claim = (): void => {
        for (const event of outbox.claim(this.context.appId)) this.#follow(outbox, event, false)
      }
      claim()
      this.#stopClaiming = outbox.onRelease(claim)
    })
  }

  /** Writes a transaction, and publishes its events after the commit. */
  async transact(
    target: OutboxTarget,
    all: readonly StateChange[],
    {operationsOf, write, isUnwritten, markerMetadata, trace}: TransactionSteps
  ): Promise<void> {
    const {changes, events} = outboxTransaction(all, target, trace)
    const operations = operationsOf(changes)
    if (operations.length === 0) return
    // as in Dapr, an item is not saved if its event could never be published (pkg/runtime/pubsub/outbox.go, PublishInternal)
    if (events.length > 0)
      await this.#publishing.checkTopic({pubsubName: target.pubsub, topic: target.topic, metadata: {}})
    const outbox = await this.context.work.outbox()
    const kept = await outbox.keep(events)
    const markers = kept.map(({marker}): StateOperation => ({
      kind: 'upsert',
      request: {key: marker, value: Buffer.from('0'), isJson: false, ...UNCONDITIONAL, metadata: markerMetadata}
    }))
    try {
      await write([...operations, ...markers])
    } catch (error) {
      if (isUnwritten(error)) await outbox.drop(kept)
      else if (error instanceof PartlyRefused) await this.#followSaved(outbox, kept, savedOf(operations, error))
      else for (const event of kept) this.#follow(outbox, event, false)
      throw error
    }
    for (const event of kept) this.#follow(outbox, event, true)
  }

  /** Publishes the events of saved items, and drops those of refused items, with markers that the store has written. `isSaved`: by event. */
  async #followSaved(outbox: Outbox, kept: readonly KeptEvent[], isSaved: readonly boolean[]): Promise<void> {
    const refused = kept.filter((_, at) => isSaved[at] !== true)
    for (const event of kept) if (!refused.includes(event)) this.#follow(outbox, event, true)
    await outbox.drop(refused)
    const forget = async (event: KeptEvent): Promise<void> =>
      (await this.#store(event)).component.delete({key: event.marker, ...UNCONDITIONAL})
    await Promise.allSettled(refused.map(forget))
  }

  /** Stops publishing. The next sidecar of the app, or the next run, publishes the rest. */
  async close(): Promise<void> {
    this.#stopClaiming()
    this.#closing.abort()
    await within(CLOSE_MS, Promise.all(this.#underWay))
  }

  #follow(outbox: Outbox, event: KeptEvent, isCommitted: boolean): void {
    const work = this.#untilDone(outbox, event, isCommitted).finally(() => this.#underWay.delete(work))
    this.#underWay.add(work)
  }

  async #untilDone(outbox: Outbox, event: KeptEvent, wasCommitted: boolean): Promise<void> {
    let isCommitted = wasCommitted
    let isPublished = false
    // COMMIT_MS begins now: the last try of the transaction may still be under way
    const since = performance.now()
    for (let waitMs = FIRST_MS; !this.#closing.signal.aborted; waitMs = Math.min(LONGEST_MS, waitMs * 2)) {
      try {
        const store = await this.#store(event)
        isCommitted ||= (await store.component.get(event.marker, {consistency: '', metadata: {}})) !== undefined
        if (isCommitted && !isPublished) {
          await this.#publish(event, store)
          isPublished = true
          await pause(SETTLED_MS, this.#closing.signal)
        }
        if (isPublished) await store.component.delete({key: event.marker, ...UNCONDITIONAL})
        if (isPublished || performance.now() - since > COMMIT_MS) return await outbox.drop([event])
      } catch (error) {
        const {store, topic, pubsub} = event
        this.context.log.warn(
          'outbox',
          `events of transactions of ${store} cannot be published to ${topic} of ${pubsub}, and are tried again: ${messageOf(error)}`
        )
      }
      await pause(waitMs, this.#closing.signal)
    }
    outbox.release(event)
  }

  async #store({store}: KeptEvent): Promise<Store> {
    const found = this.context.components.find('state', store)
    if (found === undefined) throw new Error(`state store ${store} is not found`)
    return found
  }

  /** Publishes an event to the topic that the component's file names now: the file may have been corrected since the transaction. */
  async #publish({event, ...kept}: KeptEvent, store: Store): Promise<void> {
    const {pubsub: pubsubName, topic} = outboxOf(store, this.context.appId) ?? kept
    const contentType = 'application/cloudevents+json'
    const trace = {traceparent: '', tracestate: ''}
    const publication = {pubsubName, topic, data: Buffer.from(event), contentType, metadata: {}, trace}
    await this.#publishing.publish(publication, ONCE)
  }
}

/** Whether each item that a transaction was to save was saved, in order. */
const savedOf = (operations: readonly StateOperation[], {refused}: PartlyRefused): readonly boolean[] =>
  operations.flatMap(({kind}, at) => (kind === 'upsert' ? [!refused.has(at)] : []))

/** How `State` writes a transaction. */
interface TransactionSteps {
  /** Converts changes of the caller to operations of the store. */
  readonly operationsOf: (changes: readonly StateChange[]) => readonly StateOperation[]
  readonly write: (operations: readonly StateOperation[]) => Promise<void>
  /** Whether nothing was written, by the error of `write`. */
  readonly isUnwritten: (error: unknown) => boolean
  readonly markerMetadata: StateOperation['request']['metadata']
  readonly trace: string | undefined
}
