import type {ConfigurationItems, ConfigurationStore} from '../../components/configuration-store.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {until, type OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import {failing, toldWhy} from './block-error.ts'
import {AppBlock, policyTarget} from './block-context.ts'
import {
  ConfigurationSubscription,
  type ConfigurationListener,
  type ConfigurationRequest
} from './configuration-subscription.ts'

type Metadata = ConfigurationRequest['metadata']

/** The configuration of one app (Dapr: pkg/api/universal/configuration.go). */
export class Configurations extends AppBlock {
  readonly #subscriptions = new Map<string, ConfigurationSubscription>()
  #isClosed = false

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
    const {storeName, keys, onGone} = request
    const subscription = new ConfigurationSubscription({context: this.context, request, changed, ended})
    const store = await this.store(storeName)
    const words = `failed to subscribe [${keys.join(' ')}] from Configuration store ${storeName}: `
    const failed = failing([500, 'invalidArgument', 'ERR_CONFIGURATION_SUBSCRIBE'], words)
    const begun = subscription.begin(store, async begin => this.#call(storeName, 'subscribe', begin, onGone))
    await begun.catch(failed)
    const {id} = subscription
    this.#subscriptions.set(id, subscription)
    // its process may have ended, its store may have been opened again, or all may have been closed
    this.followProcesses()
    if (this.#isClosed) await this.drop(id)
    await subscription.renew()
    return id
  }

  /** Ends a subscription by its id. Rejects if it is unknown, or if its store cannot end it. */
  async unsubscribe(storeName: string, id: string, onGone?: OnGone): Promise<void> {
    await this.store(storeName)
    if (!this.#subscriptions.has(id))
      throw new Error(`failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`)
    await this.#call(storeName, 'unsubscribe', async () => this.end(id), onGone)
  }

  /** Ends a subscription whose caller has left, if it is still open, even if its store does not respond. */
  async drop(id: string): Promise<void> {
    const subscription = this.#subscriptions.get(id)
    this.#subscriptions.delete(id)
    subscription?.forget()
    await subscription?.end().catch((error: unknown) => this.context.log.write('warn', messageOf(error)))
  }

  /** Ends a subscription. Rejects for an unknown id. */
  async end(id: string): Promise<void> {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined) throw new Error('subscription does not exist')
    await subscription.end()
    this.#subscriptions.delete(id)
  }

  /** Sends an update to the app under the inbound policies of the store. Returns why the app did not accept it; '' if it did. */
  async deliver(store: string, send: (by?: AttemptControl) => Promise<string>, over: AbortSignal): Promise<string> {
    const target = policyTarget('configuration', store, 'inbound')
    const attempt = async (control?: AttemptControl): Promise<void> => {
      const why = await send(control)
      if (why !== '') throw new Error(why)
    }
    const sent = this.context.policies()?.around(target, attempt, {onGone: until(over)}) ?? attempt()
    return sent.then(() => '', messageOf)
  }

  /** Called when processes of the app have begun, ended or taken over. Ends subscriptions of ended processes. */
  followProcesses(): void {
    const lives = this.context.lives()
    for (const [id, subscription] of this.#subscriptions)
      if (subscription.process !== undefined && !lives.includes(subscription.process)) void this.drop(id)
      else void subscription.send()
  }

  /** Renews subscriptions at a store that was opened again. Never rejects. */
  async renew(): Promise<void> {
    await Promise.all([...this.#subscriptions.values()].map(async subscription => subscription.renew()))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const all = [...this.#subscriptions.values()]
    this.#subscriptions.clear()
    for (const subscription of all) subscription.forget()
    await Promise.allSettled(all.map(async subscription => subscription.end()))
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

  async #call<T>(name: string, operation: string, work: () => Promise<T>, onGone: OnGone | undefined): Promise<T> {
    return this.context.outbound({block: 'configuration', name, operation, onGone}, work)
  }
}
