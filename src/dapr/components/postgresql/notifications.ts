import type {Notification, Pool, PoolClient} from 'pg'
import {messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'

const RETRY_MS = 500

type Listener = (payload: string) => void

/** Listens to channels of a PostgreSQL over one connection. Opens another one when it is lost. */
export class ChannelNotifications {
  readonly #pool: Pool
  readonly #warn: (text: string) => void
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #over = new AbortController()
  #client: Promise<PoolClient> | undefined

  constructor(pool: Pool, warn: (text: string) => void) {
    this.#pool = pool
    this.#warn = warn
  }

  /** Listens to a channel. Resolves, once the server sends its notifications, with a function that ends this. */
  async listen(channel: string, listener: Listener): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners)
    listeners.add(listener)
    const end = async (): Promise<void> => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return
      this.#listeners.delete(channel)
      const client = await this.#client?.catch(() => undefined)
      // a lost connection does not listen; a new listener keeps the channel
      if (!this.#over.signal.aborted && !this.#listeners.has(channel))
        await client?.query(`UNLISTEN ${nameOf(channel)}`).catch(() => undefined)
    }
    try {
      const client = await (this.#client ??= this.#connect())
      await client.query(`LISTEN ${nameOf(channel)}`)
      return end
    } catch (error) {
      await end()
      throw error
    }
  }

  close(): void {
    this.#over.abort()
    this.#listeners.clear()
    void this.#client?.then(
      client => client.release(true),
      () => undefined
    )
  }

  async #connect(): Promise<PoolClient> {
    try {
      const client = await this.#pool.connect()
      client.on('notification', ({channel, payload = ''}: Notification) => {
        for (const listener of this.#listeners.get(channel) ?? []) listener(payload)
      })
      client.once('error', error => {
        client.release(true)
        void this.#reconnect(messageOf(error))
      })
      return client
    } catch (error) {
      this.#client = undefined
      throw error
    }
  }

  async #reconnect(why: string): Promise<void> {
    const {signal} = this.#over
    this.#client = undefined
    if (signal.aborted || this.#listeners.size === 0) return
    this.#warn(`the connection that listens for changes of configuration is lost: ${why}`)
    while (!signal.aborted) {
      try {
        const client = await (this.#client ??= this.#connect())
        for (const channel of this.#listeners.keys()) await client.query(`LISTEN ${nameOf(channel)}`)
        return
      } catch {
        await pause(RETRY_MS, signal)
      }
    }
  }
}

const nameOf = (channel: string): string => `"${channel}"`
