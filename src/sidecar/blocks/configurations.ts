import {randomUUID} from 'node:crypto'
import type {ConfigurationItems, ConfigurationStore} from '../../components/configuration-store.ts'
import {messageOf} from '../../model/errors.ts'
import {BlockError} from './block-error.ts'
import type {BlockContext} from './block-context.ts'

type Metadata = Readonly<Record<string, string>>

/** Called with each change of a subscription. */
export type ConfigurationListener = (id: string, items: ConfigurationItems) => Promise<void>

/** The configuration of one app (Dapr: pkg/api/universal/configuration.go). */
export class Configurations {
  readonly #context: BlockContext
  readonly #subscriptions = new Map<string, () => Promise<void>>()

  constructor(context: BlockContext) {
    this.#context = context
  }

  async get(storeName: string, keys: readonly string[], metadata: Metadata): Promise<ConfigurationItems> {
    const store = await this.store(storeName)
    try {
      return await store.get(keys, metadata)
    } catch (error) {
      throw new BlockError(
        [500, 'internal', 'ERR_CONFIGURATION_GET'],
        `failed to get [${keys.join(' ')}] from Configuration store ${storeName}: ${messageOf(error)}`
      )
    }
  }

  /** The id of the subscription. No keys: all. `ended`: it was ended, not by the one who has asked for it. */
  async subscribe(
    {
      storeName,
      keys,
      metadata
    }: {readonly storeName: string; readonly keys: readonly string[]; readonly metadata: Metadata},
    changed: ConfigurationListener,
    ended: () => void = () => undefined
  ): Promise<string> {
    const store = await this.store(storeName)
    const id = randomUUID()
    try {
      const end = await store.subscribe(keys, metadata, items => void changed(id, items))
      this.#subscriptions.set(id, async () => {
        await end()
        ended()
      })
    } catch (error) {
      throw new BlockError(
        [500, 'invalidArgument', 'ERR_CONFIGURATION_SUBSCRIBE'],
        `failed to subscribe [${keys.join(' ')}] from Configuration store ${storeName}: ${messageOf(error)}`
      )
    }
    return id
  }

  /** Rejects with why it cannot. */
  async unsubscribe(storeName: string, id: string): Promise<void> {
    await this.store(storeName)
    if (!this.#subscriptions.has(id))
      throw new Error(`failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`)
    await this.end(id)
  }

  /** Ends a subscription, whatever its store. Rejects if there is none of this id. */
  async end(id: string): Promise<void> {
    const end = this.#subscriptions.get(id)
    if (end === undefined) throw new Error('subscription does not exist')
    this.#subscriptions.delete(id)
    await end()
  }

  /** Ends all subscriptions: the process that has asked for them is gone. */
  async unsubscribeAll(): Promise<void> {
    const ends = [...this.#subscriptions.values()]
    this.#subscriptions.clear()
    await Promise.all(ends.map(async end => end()))
  }

  async store(name: string): Promise<ConfigurationStore> {
    const {component} = await this.#context.component('configuration', name, {
      none: why =>
        new BlockError(
          [500, 'failedPrecondition', 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED'],
          `configuration stores not configured${why}`
        ),
      unknown: why =>
        new BlockError(
          [400, 'invalidArgument', 'ERR_CONFIGURATION_STORE_NOT_FOUND'],
          `configuration store ${name} not found${why}`
        )
    })
    return component
  }
}
