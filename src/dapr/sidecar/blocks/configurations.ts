import {randomUUID} from 'node:crypto'
import {isDeepStrictEqual} from 'node:util'
import type {ConfigurationItems, ConfigurationStore} from '../../components/configuration-store.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {until, type OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {failing, toldWhy} from './block-error.ts'
import {AppBlock, policyTarget} from './block-context.ts'
import {retryLater} from '../retry-later.ts'

type Metadata = Readonly<Record<string, string>>

/** Called with each change of a subscription, one after the other. Never rejects. `over`: aborted when the subscription has ended. */
export type ConfigurationListener = (id: string, items: ConfigurationItems, over: AbortSignal) => Promise<void>

interface ConfigurationRequest {
  readonly storeName: string
  /** The keys; empty: all keys. */
  readonly keys: readonly string[]
  readonly metadata: Metadata
  /** Whether the subscription ends with the app's current process. */
  readonly isOfProcess?: boolean
  readonly onGone?: OnGone
}

interface Subscription {
  /** Start time of the process that subscribed, in ms of performance.now(). Undefined if no process of the run did. */
  process: number | undefined
  readonly request: ConfigurationRequest
  readonly updates: Updates
  /** The store that is watched, replaced when its file changes. Undefined after a failure, until the file changes again. */
  store: ConfigurationStore | undefined
  endAtStore: End
  /** The subscription does not continue at another store. */
  isEnding: boolean
  end(): Promise<void>
}

type End = () => Promise<void>

/** The configuration of one app (Dapr: pkg/api/universal/configuration.go). */
export class Configurations extends AppBlock {
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #closing = new AbortController()

  get areRead(): boolean {
    return this.#subscriptions.size > 0
  }

  async get(name: string, keys: readonly string[], metadata: Metadata, onGone?: OnGone): Promise<ConfigurationItems> {
    const store = await this.store(name)
    const words = `failed to get [${keys.join(' ')}] from Configuration store ${name}: `
    const failed = failing([500, 'internal', 'ERR_CONFIGURATION_GET'], words)
    return this.#call(name, 'get', async () => store.get(keys, metadata), onGone).catch(failed)
  }

  /** Begins a subscription, and resolves with its id. `ended` is called at its end. */
  async subscribe(
    request: ConfigurationRequest,
    changed: ConfigurationListener,
    ended: () => void = () => undefined
  ): Promise<string> {
    const {storeName, keys} = request
    const process = request.isOfProcess === true ? Math.max(...this.context.lives()) : undefined
    const store = await this.store(storeName)
    const id = randomUUID()
    const updates: Updates = new Updates(
      items => changed(id, items, updates.over.signal),
      () => [undefined, this.context.lives()[0]].includes(this.#subscriptions.get(id)?.process)
    )
    const words = `failed to subscribe [${keys.join(' ')}] from Configuration store ${storeName}: `
    const failed = failing([500, 'invalidArgument', 'ERR_CONFIGURATION_SUBSCRIBE'], words)
    const endAtStore = await this.#begin(store, request, updates).catch(failed)
    const end = async (): Promise<void> => {
      updates.areOver = true
      await subscription.endAtStore()
      ended()
    }
    const subscription: Subscription = {process, request, updates, store, endAtStore, isEnding: false, end}
    this.#subscriptions.set(id, subscription)
    // its process may have ended, its store may have been opened again, or all may have been closed
    this.followProcesses()
    if (this.#closing.signal.aborted) await this.drop(id)
    await this.#carryOver(id, subscription)
    return id
  }

  /** Rejects with why it cannot. */
  async unsubscribe(storeName: string, id: string, onGone?: OnGone): Promise<void> {
    await this.store(storeName)
    if (!this.#subscriptions.has(id))
      throw new Error(`failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`)
    await this.#call(storeName, 'unsubscribe', async () => this.end(id), onGone)
  }

  /** Ends a subscription whose caller has left, if it is still open, even if its store does not respond. */
  async drop(id: string): Promise<void> {
    const subscription = this.#subscriptions.get(id)
    this.#forget(id)
    await subscription?.end().catch((error: unknown) => this.context.log.write('warn', messageOf(error)))
  }

  /** Ends a subscription. Rejects for an unknown id. */
  async end(id: string): Promise<void> {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined) throw new Error('subscription does not exist')
    subscription.isEnding = true
    try {
      await subscription.end()
      this.#forget(id)
    } catch (error) {
      subscription.isEnding = false // the app may ask again
      subscription.updates.areOver = !this.#subscriptions.has(id)
      throw error
    }
  }

  /** Sends an update to the app under the inbound policies of the store. Resolves with the reason why the app did not accept it, else ''. */
  async deliver(store: string, send: (by?: AttemptControl) => Promise<string>, over: AbortSignal): Promise<string> {
    const target = policyTarget('configuration', store, 'inbound')
    const attempt = async (control?: AttemptControl): Promise<void> => {
      const why = await send(control)
      if (why !== '') throw new Error(why)
    }
    // code may not be loaded for want of a descriptor
    const sent = this.context.policies()?.around(target, attempt, {onGone: until(over)}) ?? attempt()
    return sent.then(() => '', messageOf)
  }

  /**
   * Called when processes of the app have begun, ended or taken over. A subscription ends with its process, and sends nothing before its
   * process receives calls. A subscription of a process that failed before its takeover moves to the current process, unless that has the
   * same one.
   */
  followProcesses(): void {
    const lives = this.context.lives()
    const [current = 0] = lives
    const all = [...this.#subscriptions]
    for (const [id, subscription] of all) {
      const {process, request, updates} = subscription
      const isOver = process !== undefined && !lives.includes(process)
      const isDouble = all.some(([, other]) => other.process === current && isSame(other.request, request))
      if (isOver && current > 0 && process > current && !isDouble) subscription.process = current
      else if (isOver) void this.drop(id)
      updates.tell()
    }
  }

  /** Renews subscriptions at a store that was opened again. Never rejects. */
  async renew(): Promise<void> {
    await Promise.all([...this.#subscriptions].map(async ([id, subscription]) => this.#carryOver(id, subscription)))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const all = [...this.#subscriptions.values()]
    for (const id of this.#subscriptions.keys()) this.#forget(id)
    await Promise.allSettled(all.map(async subscription => subscription.end()))
  }

  #forget(id: string): void {
    this.#subscriptions.get(id)?.updates.over.abort()
    this.#subscriptions.delete(id)
  }

  async store(name: string): Promise<ConfigurationStore> {
    const {component} = await this.context.component('configuration', name, {
      none: toldWhy(
        [500, 'failedPrecondition', 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED'],
        'configuration stores not configured'
      ),
      unknown: toldWhy(
        [400, 'invalidArgument', 'ERR_CONFIGURATION_STORE_NOT_FOUND'],
        `configuration store ${name} not found`
      )
    })
    return component
  }

  /** Begins a subscription once. Ends the subscription of a late attempt. */
  async #begin(
    store: ConfigurationStore,
    {storeName, keys, metadata, onGone}: ConfigurationRequest,
    updates: Updates
  ): Promise<End> {
    const begun = new Set<End>()
    let isOver = false
    try {
      const begin = async (): Promise<End> => {
        const end = await store.subscribe(keys, metadata, items => updates.add(items))
        if (isOver) await end()
        else begun.add(end)
        return end
      }
      const taken = await this.#call(storeName, 'subscribe', begin, onGone)
      begun.delete(taken)
      return taken
    } finally {
      isOver = true
      for (const end of begun) await end()
    }
  }

  /** Moves a subscription to its store once that is back. */
  async #carryOver(id: string, subscription: Subscription, failures: LogLevel = 'error'): Promise<void> {
    const {request, updates} = subscription
    const {storeName, keys, metadata} = request
    const {log} = this.context
    let store: ConfigurationStore | undefined
    try {
      store = (await this.context.components.find('configuration', storeName))?.component
      if (store === undefined || store === subscription.store || subscription.isEnding) return
      const {endAtStore} = subscription
      // it ends with the earlier store, unless other apps still have that; its end waits for the next store alone
      const endBefore = async (): Promise<void> => void endAtStore().catch(() => undefined)
      if (subscription.store !== undefined) subscription.endAtStore = endBefore
      subscription.store = store
      let since: ConfigurationItems | undefined = {}
      const end = await store.subscribe(keys, metadata, items => {
        since &&= {...since, ...items}
        updates.add(items)
      })
      const isWanted =
        this.#subscriptions.get(id) === subscription && subscription.store === store && !subscription.isEnding
      if (!isWanted) return await end()
      subscription.endAtStore = end
      void endBefore()
      log.write('info', `subscription ${id} continues at configuration store ${storeName}, which was opened again`)
      // changes in between were missed
      const found = await store.get(keys, metadata).catch(messageOf)
      if (updates.areOver || subscription.store !== store) return
      if (typeof found === 'string') log.write('warn', `what has changed in ${storeName} cannot be read: ${found}`)
      else updates.add({...found, ...since})
      since = undefined
    } catch (error) {
      // the subscription may have continued at a newer store
      if (store !== undefined && subscription.store !== store) return
      subscription.store = undefined
      if (this.#subscriptions.get(id) !== subscription) return
      const what = `subscription ${id} to configuration store ${storeName}`
      log.write(failures, `${what} cannot continue yet: ${messageOf(error)}`)
      void retryLater(async () => this.#carryOver(id, subscription, 'debug'), this.#closing.signal)
    }
  }

  async #call<T>(name: string, operation: string, work: () => Promise<T>, onGone: OnGone | undefined): Promise<T> {
    return this.context.outbound({block: 'configuration', name, operation, onGone}, work)
  }
}

const isSame = (a: ConfigurationRequest, b: ConfigurationRequest): boolean =>
  isDeepStrictEqual([a.storeName, a.keys, a.metadata], [b.storeName, b.keys, b.metadata])

/** Number of waiting changes above which only the latest change of each key is kept. */
const MANY = 100

/** The changes of one subscription, one after the other. */
class Updates {
  readonly #changed: (items: ConfigurationItems) => Promise<void>
  readonly #mayGo: () => boolean
  readonly #waiting: ConfigurationItems[] = []
  #isAtWork = false
  /** Whether no further change is sent. */
  areOver = false
  /** Aborted when the subscription has ended, so that a refused change is not sent again. */
  readonly over = new AbortController()

  /** `changed` sends a change and never rejects. `mayGo`: returns false while changes must wait; `tell` is called when that ends. */
  constructor(changed: (items: ConfigurationItems) => Promise<void>, mayGo: () => boolean) {
    this.#changed = changed
    this.#mayGo = mayGo
  }

  add(items: ConfigurationItems): void {
    if (Object.keys(items).length === 0) return
    const last = this.#waiting.length < MANY ? undefined : this.#waiting.pop()
    this.#waiting.push({...last, ...items})
    this.tell()
  }

  tell(): void {
    if (!this.#isAtWork) void this.#tellAll()
  }

  async #tellAll(): Promise<void> {
    this.#isAtWork = true
    while (this.#waiting.length > 0 && this.#mayGo()) {
      const items = this.#waiting.shift() ?? {}
      if (!this.areOver) await this.#changed(items)
    }
    this.#isAtWork = false
  }
}
