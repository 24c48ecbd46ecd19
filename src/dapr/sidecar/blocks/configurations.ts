import {randomUUID} from 'node:crypto'
import {isDeepStrictEqual} from 'node:util'
import type {ConfigurationItems, ConfigurationStore} from '../../components/configuration-store.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {until, type OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {rethrowAs, daprError} from './block-error.ts'
import {AppBlock, policyTarget} from './block-context.ts'
import {retryLater} from '../retry-later.ts'

type Metadata = Readonly<Record<string, string>>

/** Sends a change of a subscription to its subscriber. Never rejects. `signal`: aborted when the subscription has ended. */
export type ConfigurationListener = (id: string, items: ConfigurationItems, signal: AbortSignal) => Promise<void>

interface ConfigurationRequest {
  readonly storeName: string
  /** The keys to watch; empty: all keys. */
  readonly keys: readonly string[]
  readonly metadata: Metadata
  /** Whether the exit of the app's newest process ends the subscription. Omitted over gRPC, where the end of the stream does. */
  readonly isOfProcess?: boolean
  readonly onGone?: OnGone
  readonly ended?: () => void
}

interface Subscription {
  readonly id: string
  readonly request: ConfigurationRequest
  /** Start time of the process whose exit ends the subscription, in ms of performance.now(); undefined: none does. */
  process: number | undefined
  readonly changes: ChangeQueue
  /** The store that reports changes; undefined: the latest move to a store failed, and is retried. */
  store: ConfigurationStore | undefined
  endAtStore: EndAtStore
  /** Whether `end` is under way. Then the subscription does not move to another store. */
  isEnding: boolean
}

type EndAtStore = () => Promise<void>
type SendToApp = (attempt?: AttemptControl) => Promise<string>

/** Reads and watches configuration for one app (Dapr: pkg/api/universal/configuration.go). A subscription outlives a change of its store's file. */
export class Configurations extends AppBlock {
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #closing = new AbortController()

  get areRead(): boolean {
    return this.#subscriptions.size > 0
  }

  async get(name: string, keys: readonly string[], metadata: Metadata, onGone?: OnGone): Promise<ConfigurationItems> {
    const store = await this.store(name)
    const words = `failed to get [${keys.join(' ')}] from Configuration store ${name}: `
    const failed = rethrowAs([500, 'internal', 'ERR_CONFIGURATION_GET'], words)
    return this.#call(name, 'get', async () => store.get(keys, metadata), onGone).catch(failed)
  }

  /** Finds a store. Rejects with Dapr's error. */
  async store(name: string): Promise<ConfigurationStore> {
    const {component} = await this.context.component('configuration', name, {
      none: daprError(
        [500, 'failedPrecondition', 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED'],
        'configuration stores not configured'
      ),
      unknown: daprError(
        [400, 'invalidArgument', 'ERR_CONFIGURATION_STORE_NOT_FOUND'],
        `configuration store ${name} not found`
      )
    })
    return component
  }

  /** Begins a subscription. Resolves with its id. `send` gets each change, one after the other. */
  async subscribe(request: ConfigurationRequest, send: ConfigurationListener): Promise<string> {
    const {storeName, keys} = request
    // -Infinity without a process: then `followProcesses` ends the subscription at once
    const process = request.isOfProcess === true ? Math.max(...this.context.lives()) : undefined
    const store = await this.store(storeName)
    const id = randomUUID()
    const maySend = (): boolean => {
      const subscriber = this.#subscriptions.get(id)?.process
      return subscriber === undefined || subscriber === this.context.lives()[0]
    }
    const changes = new ChangeQueue(async (items, signal) => send(id, items, signal), maySend)
    const words = `failed to subscribe [${keys.join(' ')}] from Configuration store ${storeName}: `
    const failed = rethrowAs([500, 'invalidArgument', 'ERR_CONFIGURATION_SUBSCRIBE'], words)
    const endAtStore = await this.#subscribeAt(store, request, changes).catch(failed)
    const subscription: Subscription = {id, request, process, changes, store, endAtStore, isEnding: false}
    this.#subscriptions.set(id, subscription)
    // meanwhile the process may have exited, the block may have been closed, or the store opened again
    this.followProcesses()
    if (this.#closing.signal.aborted) await this.drop(id)
    await this.#moveToCurrentStore(subscription)
    return id
  }

  /** Subscribes at the store under its policies. Ends the subscriptions of attempts whose result no policy used. */
  async #subscribeAt(
    store: ConfigurationStore,
    {storeName, keys, metadata, onGone}: ConfigurationRequest,
    changes: ChangeQueue
  ): Promise<EndAtStore> {
    const unused = new Set<EndAtStore>()
    let isSettled = false
    const attempt = async (): Promise<EndAtStore> => {
      const end = await store.subscribe(keys, metadata, items => changes.add(items))
      if (isSettled) await end()
      else unused.add(end)
      return end
    }
    try {
      const used = await this.#call(storeName, 'subscribe', attempt, onGone)
      unused.delete(used)
      return used
    } finally {
      isSettled = true
      for (const end of unused) await end()
    }
  }

  /** Sends a change to the app under the inbound policies of the store. Resolves with the reason why the app did not accept it; '': it did. */
  async deliver(store: string, send: SendToApp, signal: AbortSignal): Promise<string> {
    const target = policyTarget('configuration', store, 'inbound')
    const attempt = async (control?: AttemptControl): Promise<void> => {
      const why = await send(control)
      if (why !== '') throw new Error(why)
    }
    // `send` rejects if it cannot load code, since no file descriptor is free
    const sent = this.context.policies()?.around(target, attempt, {onGone: until(signal)}) ?? attempt()
    return sent.then(() => '', messageOf)
  }

  /** Ends a subscription as its app asks. Rejects with the reason if the store cannot end it. */
  async unsubscribe(storeName: string, id: string, onGone?: OnGone): Promise<void> {
    await this.store(storeName)
    if (!this.#subscriptions.has(id))
      throw new Error(`failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`)
    await this.#call(storeName, 'unsubscribe', async () => this.end(id), onGone)
  }

  /** Ends a subscription. Rejects, and keeps it, if the store cannot end it. Rejects for an unknown id. */
  async end(id: string): Promise<void> {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined) throw new Error('subscription does not exist')
    subscription.isEnding = true
    try {
      await this.#endAtStore(subscription)
      this.#forget(subscription)
    } catch (error) {
      subscription.isEnding = false // the app may ask again
      subscription.changes.areDropped = !this.#subscriptions.has(id)
      throw error
    }
  }

  /** Ends a subscription whose subscriber is gone, even if the store cannot end it. Does nothing for an unknown id. */
  async drop(id: string): Promise<void> {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined) return
    this.#forget(subscription)
    await this.#endAtStore(subscription).catch((error: unknown) => this.context.log.write('warn', messageOf(error)))
  }

  /**
   * Called when processes of the app have begun, ended or taken over. The exit of its process ends a subscription. A process that has yet
   * to take over gets no changes. If it exits before, its subscription moves to the current process, unless that has an equal one.
   */
  followProcesses(): void {
    const lives = this.context.lives()
    const [current = 0] = lives
    const all = [...this.#subscriptions.values()]
    for (const subscription of all) {
      const {id, process, request, changes} = subscription
      const hasExited = process !== undefined && !lives.includes(process)
      const wasNewer = hasExited && current > 0 && process > current
      const isDouble = all.some(other => other.process === current && isSame(other.request, request))
      if (wasNewer && !isDouble) subscription.process = current
      else if (hasExited) void this.drop(id)
      changes.sendWaiting()
    }
  }

  /** Moves subscriptions to stores that were opened again. Never rejects. */
  async renew(): Promise<void> {
    await Promise.all([...this.#subscriptions.values()].map(async each => this.#moveToCurrentStore(each)))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const all = [...this.#subscriptions.values()]
    for (const each of all) this.#forget(each)
    await Promise.allSettled(all.map(async each => this.#endAtStore(each)))
  }

  /** Moves a subscription to its store if that was opened again. Retries until it succeeds. Never rejects. */
  async #moveToCurrentStore(subscription: Subscription, level: LogLevel = 'error'): Promise<void> {
    const {id, request, changes} = subscription
    const {storeName, keys, metadata} = request
    const {log, components} = this.context
    let store: ConfigurationStore | undefined
    try {
      store = (await components.find('configuration', storeName))?.component
      if (store === undefined || store === subscription.store || subscription.isEnding) return
      const {endAtStore} = subscription
      // does not wait for the earlier store, which may be closed or silent
      const endAtEarlierStore = async (): Promise<void> => void endAtStore().catch(() => undefined)
      if (subscription.store !== undefined) subscription.endAtStore = endAtEarlierStore
      subscription.store = store
      let changedMeanwhile: ConfigurationItems | undefined = {}
      const end = await store.subscribe(keys, metadata, items => {
        changedMeanwhile &&= {...changedMeanwhile, ...items}
        changes.add(items)
      })
      const isWanted =
        this.#subscriptions.get(id) === subscription && subscription.store === store && !subscription.isEnding
      if (!isWanted) return await end()
      subscription.endAtStore = end
      void endAtEarlierStore()
      log.write('info', `subscription ${id} continues at configuration store ${storeName}, which was opened again`)
      // sends all items, since changes before this subscription were missed
      const found = await store.get(keys, metadata).catch(messageOf)
      if (changes.areDropped || subscription.store !== store) return
      if (typeof found === 'string') log.write('warn', `what has changed in ${storeName} cannot be read: ${found}`)
      else changes.add({...found, ...changedMeanwhile})
      changedMeanwhile = undefined
    } catch (error) {
      // a later call may have moved the subscription to a newer store
      if (store !== undefined && subscription.store !== store) return
      subscription.store = undefined
      if (this.#subscriptions.get(id) !== subscription) return
      log.write(
        level,
        `subscription ${id} to configuration store ${storeName} cannot continue yet: ${messageOf(error)}`
      )
      void retryLater(async () => this.#moveToCurrentStore(subscription, 'debug'), this.#closing.signal)
    }
  }

  async #endAtStore(subscription: Subscription): Promise<void> {
    subscription.changes.areDropped = true
    await subscription.endAtStore()
    subscription.request.ended?.()
  }

  #forget({id, changes}: Subscription): void {
    changes.ended.abort()
    this.#subscriptions.delete(id)
  }

  async #call<T>(name: string, operation: string, work: () => Promise<T>, onGone: OnGone | undefined): Promise<T> {
    return this.context.outbound({block: 'configuration', name, operation, onGone}, work)
  }
}

const isSame = (a: ConfigurationRequest, b: ConfigurationRequest): boolean =>
  isDeepStrictEqual([a.storeName, a.keys, a.metadata], [b.storeName, b.keys, b.metadata])

/** Number of waiting changes above which further changes are merged, so that only the latest item of each key is kept. */
const MAX_WAITING = 100

/** The changes of one subscription, which are sent one after the other. */
class ChangeQueue {
  readonly #send: (items: ConfigurationItems, signal: AbortSignal) => Promise<void>
  readonly #maySend: () => boolean
  readonly #waiting: ConfigurationItems[] = []
  #isSending = false
  /** Whether changes are dropped, since the subscription ends. */
  areDropped = false
  /** Aborted when the subscription has ended, so that a refused change is not retried. */
  readonly ended = new AbortController()

  /** `send` never rejects. While `maySend` returns false, changes wait for the next `sendWaiting`. */
  constructor(send: (items: ConfigurationItems, signal: AbortSignal) => Promise<void>, maySend: () => boolean) {
    this.#send = send
    this.#maySend = maySend
  }

  add(items: ConfigurationItems): void {
    if (Object.keys(items).length === 0) return
    const last = this.#waiting.length < MAX_WAITING ? undefined : this.#waiting.pop()
    this.#waiting.push({...last, ...items})
    this.sendWaiting()
  }

  sendWaiting(): void {
    if (!this.#isSending) void this.#sendAll()
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true
    while (this.#waiting.length > 0 && this.#maySend()) {
      const items = this.#waiting.shift() ?? {}
      if (!this.areDropped) await this.#send(items, this.ended.signal)
    }
    this.#isSending = false
  }
}
