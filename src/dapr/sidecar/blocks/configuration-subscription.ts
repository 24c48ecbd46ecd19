import {randomUUID} from 'node:crypto'
import type {ConfigurationItems, ConfigurationStore} from '../../components/configuration-store.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {pause} from '../../../platform/delay.ts'
import type {BlockContext} from './block-context.ts'

/** Called with each change of a subscription, one after the other. Never rejects. `over`: aborted when the subscription has ended. */
export type ConfigurationListener = (id: string, items: ConfigurationItems, over: AbortSignal) => Promise<void>

export interface ConfigurationRequest {
  readonly storeName: string
  /** The keys; empty: all keys. */
  readonly keys: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  /** Whether the subscription ends with the app's current process. */
  readonly isOfProcess?: boolean
  readonly onGone?: OnGone
}

interface SubscriptionContext {
  readonly context: BlockContext
  readonly request: ConfigurationRequest
  readonly changed: ConfigurationListener
  readonly ended: () => void
}

type End = () => Promise<void>

/** Pause before a failed move is tried again. */
const AGAIN_MS = 1000
/** Number of waiting changes above which only the latest change of each key is kept. */
const MANY = 100

/** An app's subscription to keys of a configuration store. Moves to the next store when its component is opened again. */
export class ConfigurationSubscription {
  readonly id = randomUUID()
  /** Start time of the process that subscribed, in ms of performance.now(). Undefined for a caller that outlives processes. */
  readonly process: number | undefined
  readonly #options: SubscriptionContext
  readonly #over = new AbortController()
  /** The server that is watched, or that it moves to. Undefined before the start, and after a failed move. */
  #server: object | undefined
  #endAtStore: End = async () => undefined
  /** Whether the app has asked for the end. Reset if the store fails, so that the app may ask again. */
  #isEnding = false
  readonly #waiting: ConfigurationItems[] = []
  #isSending = false

  constructor(options: SubscriptionContext) {
    this.#options = options
    this.process = options.request.isOfProcess === true ? Math.max(...options.context.lives()) : undefined
  }

  /** Begins at a store; `call` may try several times. Ends the subscriptions of late attempts. */
  async begin(store: ConfigurationStore, call: (begin: () => Promise<End>) => Promise<End>): Promise<void> {
    const {keys, metadata} = this.#options.request
    const begun = new Set<End>()
    const server = serverOf(store)
    let isOver = false
    try {
      this.#endAtStore = await call(async () => {
        const end = await store.subscribe(keys, metadata, items => this.#add(items))
        if (isOver) await end()
        else begun.add(end)
        return end
      })
      this.#server = server
    } finally {
      isOver = true
      begun.delete(this.#endAtStore)
      for (const end of begun) await end()
    }
  }

  /** Ends the subscription. Rejects if its store cannot end it. */
  async end(): Promise<void> {
    this.#isEnding = true
    try {
      await this.#endAtStore()
      this.#options.ended()
      this.#over.abort()
    } catch (error) {
      this.#isEnding = false
      throw error
    }
  }

  /** Sends no further change, whether or not the store ends the subscription. */
  forget(): void {
    this.#over.abort()
  }

  /** Moves to the store of the component if that was opened again. Never rejects. */
  async renew(failures: LogLevel = 'error'): Promise<void> {
    const {context, request} = this.#options
    let server: object | undefined
    if (this.#isSilent) return
    try {
      const store = (await context.components.find('configuration', request.storeName))?.component
      server = store && serverOf(store)
      if (store !== undefined && server !== this.#server && !this.#isSilent) await this.#moveTo(store, server)
    } catch (error) {
      const hasMovedOn = server !== undefined && this.#server !== server
      if (hasMovedOn) return
      this.#server = undefined
      if (this.#over.signal.aborted) return
      const what = `subscription ${this.id} to configuration store ${request.storeName}`
      context.log.write(failures, `${what} cannot continue yet: ${messageOf(error)}`)
      void pause(AGAIN_MS, this.#over.signal).then(async () => this.renew('debug'))
    }
  }

  async #moveTo(store: ConfigurationStore, server: object | undefined): Promise<void> {
    const {context, request} = this.#options
    const {storeName, keys, metadata} = request
    const endBefore = this.#endAtStore
    // other apps may still have the earlier store, which need not answer
    const leave = async (): Promise<void> => void endBefore().catch(() => undefined)
    if (this.#server !== undefined) this.#endAtStore = leave
    this.#server = server
    let since: ConfigurationItems | undefined = {}
    const end = await store.subscribe(keys, metadata, items => {
      since &&= {...since, ...items}
      this.#add(items)
    })
    if (this.#isSilent || this.#server !== server) return end()
    this.#endAtStore = end
    void leave()
    context.log.write(
      'info',
      `subscription ${this.id} continues at configuration store ${storeName}, which was opened again`
    )
    // changes in between were missed
    const found = await store.get(keys, metadata).catch(messageOf)
    if (this.#isSilent || this.#server !== server) return
    if (typeof found !== 'string') this.#add({...found, ...since})
    else context.log.write('warn', `what has changed in ${storeName} cannot be read: ${found}`)
    since = undefined
  }

  get #isSilent(): boolean {
    return this.#isEnding || this.#over.signal.aborted
  }

  #add(items: ConfigurationItems): void {
    if (Object.keys(items).length === 0) return
    const last = this.#waiting.length < MANY ? undefined : this.#waiting.pop()
    this.#waiting.push({...last, ...items})
    void this.send()
  }

  /** Sends waiting changes, one after the other, once the process that subscribed receives calls. */
  async send(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    while (this.#waiting.length > 0 && [undefined, this.#options.context.lives()[0]].includes(this.process)) {
      const items = this.#waiting.shift() ?? {}
      if (!this.#isSilent) await this.#options.changed(this.id, items, this.#over.signal)
    }
    this.#isSending = false
  }
}

const serverOf = (store: ConfigurationStore): object | undefined =>
  store.server === undefined ? store : store.server()
