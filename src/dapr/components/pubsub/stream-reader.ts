import {setImmediate as turn} from 'node:timers/promises'
import type {Backlog} from '../../../model/activity.ts'
import {messageOf} from '../../../model/errors.ts'
import {NextChange} from '../../../model/next-change.ts'
import {isWithin, pause} from '../../../platform/delay.ts'
import type {RedisConnection} from '#redis'
import type {SubscribeOptions} from '../pubsub.ts'
import {StreamGroup, type ReadEntry} from './stream-group.ts'

/** The settings of `pubsub.redis` (components-contrib: common/component/redis/settings.go). Times are in ms; 0: off. */
export interface StreamSettings {
  /** The group and consumer of all subscriptions; '': the app's own. */
  readonly consumerId: string
  /** Interval between two searches for messages that were not acknowledged. */
  readonly redeliverIntervalMs: number
  /** Time after which a message that was not acknowledged is delivered again. */
  readonly processingTimeoutMs: number
  readonly queueDepth: number
  /** Number of messages handled at the same time. */
  readonly concurrency: number
  /** Approximate number of entries to keep in a stream; 0: all. */
  readonly maxLength: number
  /** How long entries are kept, approximately; ignored if `maxLength` is set. */
  readonly ttlMs: number
  /** Maximum time that one read waits for messages. */
  readonly readTimeoutMs: number
}

type Phase =
  /** Claims entries that earlier readers have not acknowledged, before it reads new ones. */
  | 'claiming'
  | 'reading'
  /** The app has accepted no messages for the processing timeout: all entries are returned. */
  | 'away'

const RETRY_MS = 500

/** All readers of this process. Readers of the same group notify each other of returned entries, and do not claim each other's entries. */
const READERS = new Set<StreamReader>()

/** Reads one stream for a consumer group: one loop reads new entries, another one claims entries that were not acknowledged. */
export class StreamReader {
  readonly #group: StreamGroup
  readonly #reading: RedisConnection
  readonly #settings: StreamSettings
  readonly #options: SubscribeOptions
  readonly #stopping = new AbortController()
  readonly #loops: readonly Promise<void>[]
  #phase: Phase = 'claiming'
  /** Whether there are more idle entries than one round of claims takes. The next round begins once the queue is empty. */
  #hasMore = false
  /** Whether the last read returned the maximum number of entries. */
  #wasFull = false
  /** Entries that are read, and wait for a worker. */
  readonly #queue: ReadEntry[] = []
  /** Ids of entries that are read and not acknowledged. */
  readonly #inHand = new Set<string>()
  /** Ids of handled entries to acknowledge. */
  #handled: string[] = []
  #acknowledging: Promise<void> | undefined
  /** Ids of entries to return to the group. */
  readonly #unhandled: string[] = []
  #workers = 0
  /** Resolves when the queue becomes empty, a worker ends, or the phase changes. */
  readonly #changed = new NextChange()
  #claimNow = new AbortController()

  /** Searches for returned messages now, before the next interval. */
  readonly claimNow = (): void => this.#claimNow.abort()

  private constructor(
    group: StreamGroup,
    reading: RedisConnection,
    settings: StreamSettings,
    options: SubscribeOptions
  ) {
    this.#group = group
    this.#reading = reading
    this.#settings = settings
    this.#options = options
    this.#loops = [this.#read(), this.#redeliver()]
    READERS.add(this)
  }

  static async open(
    connection: RedisConnection,
    settings: StreamSettings,
    options: SubscribeOptions
  ): Promise<StreamReader> {
    const group = new StreamGroup(connection, options.topic, settings.consumerId || options.group)
    await group.create()
    return new StreamReader(group, await connection.duplicate(), settings, options)
  }

  /** Stops reading. Resolves when running deliveries have ended and are acknowledged. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    // first: a changed component is closed before its subscriptions are stopped
    this.#emptyQueue()
    await Promise.all(this.#loops)
    while (this.#workers > 0) await this.#changed.promise
    await this.#acknowledging
    READERS.delete(this)
    await this.#giveBack()
    await this.#reading.close()
  }

  /** Whether entries wait in the queue, or probably in the stream. */
  get isBehind(): boolean {
    return this.#queue.length > 0 || this.#wasFull
  }

  async backlog(): Promise<Backlog> {
    return this.#group.backlog()
  }

  /** Reads new entries whenever the app is ready and the queue is empty. */
  async #read(): Promise<void> {
    const {queueDepth, readTimeoutMs} = this.#settings
    const {signal} = this.#stopping
    while (!signal.aborted) {
      await this.#options.ready()
      if (!(await this.#mayRead())) continue
      const count = Math.max(queueDepth, this.#limit)
      try {
        const entries = await this.#group.read(this.#reading, count, readTimeoutMs, signal)
        this.#wasFull = entries.length >= count
        this.#take(entries)
      } catch (error) {
        await this.#recover(error, `error reading from stream ${this.#group.topic}`)
      }
    }
  }

  /** Waits until earlier entries are claimed and the queue is empty. Resolves with false if reading ends, or the app was away meanwhile. */
  async #mayRead(): Promise<boolean> {
    const {signal} = this.#stopping
    let wasAway = false
    while (!signal.aborted && (this.#phase !== 'reading' || this.#queue.length > 0)) {
      await this.#changed.promise
      wasAway ||= this.#phase === 'away'
    }
    return !signal.aborted && !wasAway
  }

  /** Claims entries that were not acknowledged for too long, at the start and then repeatedly. Returns all entries while the app is away. */
  async #redeliver(): Promise<void> {
    const {redeliverIntervalMs, processingTimeoutMs} = this.#settings
    if (redeliverIntervalMs === 0 || processingTimeoutMs === 0) return this.#enter('reading')
    const {signal} = this.#stopping
    let ready: Promise<void> | undefined
    for (let waited = 0; !signal.aborted;) {
      this.#claimNow = new AbortController()
      try {
        if (this.#inHand.size > 0) await this.#group.keep(this.#inHand)
        ready ??= this.#options.ready()
        if (!(await isWithin(redeliverIntervalMs, ready))) {
          waited += redeliverIntervalMs
          if (waited >= processingTimeoutMs) await this.#leave()
          continue
        }
        waited = 0
        await this.#claim()
      } catch (error) {
        await this.#recover(error, `error retrieving pending messages of stream ${this.#group.topic}`)
      }
      ready = undefined
      if (this.#phase === 'claiming' && !this.#hasMore) this.#enter('reading')
      await pause(redeliverIntervalMs, AbortSignal.any([signal, this.#claimNow.signal]))
    }
  }

  /** Returns entries that the app does not accept, so that another instance can read them. */
  async #leave(): Promise<void> {
    this.#enter('away')
    this.#emptyQueue()
    this.#options.takeBack?.()
    await turn()
    await this.#giveBack()
  }

  async #claim(): Promise<void> {
    if (this.#hasMore && this.#queue.length > 0) return
    const {processingTimeoutMs, queueDepth} = this.#settings
    if (this.#phase === 'away') this.#enter('claiming')
    this.#hasMore = false
    // returns entries of the last round that the app has not accepted
    await this.#giveBack()
    while (!this.#stopping.signal.aborted) {
      const idle = await this.#group.idle(processingTimeoutMs, queueDepth)
      const ids = idle.filter(id => !this.#peers.some(each => each.#inHand.has(id)))
      this.#hasMore = ids.length > 0 && idle.length >= queueDepth
      if (ids.length === 0) return
      const entries = await this.#group.claim(processingTimeoutMs, ids)
      this.#take(entries)
      const claimed = new Set(entries.map(({id}) => id))
      await this.#group.acknowledgeDeleted(ids.filter(id => !claimed.has(id)))
      if (!this.#hasMore || this.#queue.length > 0) return
    }
  }

  /** Returns unhandled entries to the group: the next reader claims them at once, before new messages. */
  async #giveBack(): Promise<void> {
    const {processingTimeoutMs} = this.#settings
    const ids = this.#unhandled.splice(0)
    if (ids.length === 0 || processingTimeoutMs === 0) return
    try {
      await this.#group.giveBack(ids, processingTimeoutMs)
    } catch (error) {
      this.#warn(`messages of stream ${this.#group.topic} wait for redelivery: ${messageOf(error)}`)
    }
    for (const each of this.#peers) each.claimNow()
  }

  /** The readers of this group in this process, itself included. */
  get #peers(): readonly StreamReader[] {
    const {topic, name} = this.#group
    return [...READERS].filter(each => each.#group.topic === topic && each.#group.name === name)
  }

  get #limit(): number {
    return Math.max(1, this.#options.atOnce, this.#settings.concurrency)
  }

  #take(entries: readonly ReadEntry[]): void {
    for (const entry of entries) {
      if (this.#inHand.has(entry.id)) continue
      if (this.#stopping.signal.aborted || this.#phase === 'away') this.#unhandled.push(entry.id)
      else {
        this.#inHand.add(entry.id)
        this.#queue.push(entry)
      }
    }
    while (this.#workers < this.#limit && this.#queue.length > 0) void this.#work()
  }

  /** Handles entries of the queue until it is empty. */
  async #work(): Promise<void> {
    this.#workers++
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      if (this.#queue.length === 0) this.#changed.happened()
      if (this.#hasMore && this.#queue.length === 0) this.claimNow()
      const handled = await this.#options.handle(entry.message)
      if (handled !== 'returned') this.#acknowledge(entry.id)
      else this.#return(entry.id)
    }
    this.#workers--
    this.#changed.happened()
  }

  #emptyQueue(): void {
    for (const {id} of this.#queue.splice(0)) this.#return(id)
    this.#changed.happened()
  }

  #return(id: string): void {
    this.#inHand.delete(id)
    if (this.#stopping.signal.aborted || this.#phase === 'away') this.#unhandled.push(id)
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#changed.happened()
  }

  /** Acknowledges together all messages that are handled in one turn of the event loop. */
  #acknowledge(id: string): void {
    this.#handled.push(id)
    this.#acknowledging ??= this.#sendHandled()
  }

  async #sendHandled(): Promise<void> {
    await turn()
    while (this.#handled.length > 0) {
      const ids = this.#handled
      this.#handled = []
      try {
        await this.#group.acknowledge(ids)
        for (const id of ids) this.#inHand.delete(id)
      } catch (error) {
        this.#warn(`error acknowledging messages of stream ${this.#group.topic}: ${messageOf(error)}`)
        this.#handled.unshift(...ids)
        if (this.#stopping.signal.aborted) break
        await pause(RETRY_MS, this.#stopping.signal)
      }
    }
    this.#acknowledging = undefined
  }

  /** Creates the group again if it was deleted; waits after other errors. */
  async #recover(error: unknown, what: string): Promise<void> {
    const {signal} = this.#stopping
    if (signal.aborted) return
    const {topic, name} = this.#group
    const why = messageOf(error)
    this.#warn(`${what}: ${why}`)
    if (why.startsWith('NOGROUP')) {
      this.#warn(`the consumer group ${name} of stream ${topic} is gone: it is created again`)
      try {
        return await this.#group.create()
      } catch (failure) {
        this.#warn(`the consumer group cannot be created: ${messageOf(failure)}`)
      }
    }
    await pause(RETRY_MS, signal)
  }

  #warn(text: string): void {
    this.#options.log('warn', `redis streams: ${text}`)
  }
}
