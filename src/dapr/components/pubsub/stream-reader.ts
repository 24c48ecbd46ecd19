import {setImmediate as turn} from 'node:timers/promises'
import {jsonIn} from '../../../model/is-json.ts'
import type {Backlog} from '../../../model/activity.ts'
import {messageOf} from '../../../model/errors.ts'
import {isWithin, pause} from '../../../platform/delay.ts'
import {itemsIn, RedisError, type RedisConnection, type RedisReply} from '#redis'
import type {BrokerMessage, SubscribeOptions} from '../pubsub.ts'
import {NextChange} from '../../../model/next-change.ts'

/** The settings of `pubsub.redis` (components-contrib: common/component/redis/settings.go); times in ms, 0 = off. */
export interface StreamSettings {
  /** The group and consumer of all subscriptions; '' = the app's own. */
  readonly consumerId: string
  /** How often to look for messages that were not acknowledged. */
  readonly redeliverIntervalMs: number
  /** The time after which a message that was not acknowledged is delivered again. */
  readonly processingTimeoutMs: number
  readonly queueDepth: number
  /** Number of messages handled at the same time. */
  readonly concurrency: number
  /** The approximate number of entries to keep in a stream; 0: all. */
  readonly maxLength: number
  /** About how long entries are kept, if no number is set. */
  readonly ttlMs: number
  /** How long one read waits for messages. */
  readonly readTimeoutMs: number
}

interface Entry {
  readonly id: string
  readonly message: BrokerMessage
}

/** After an error that is not about the group. */
const RETRY_MS = 500

/** Readers in this process. A reader of the same group reads returned entries at once, and never claims entries that another one holds. */
const READERS = new Set<StreamReader>()

const textOf = (reply: RedisReply | undefined): string =>
  Buffer.isBuffer(reply) ? reply.toString() : String(reply ?? '')

/** Reads one stream for a consumer group, and acknowledges handled entries. */
export class StreamReader {
  readonly #connection: RedisConnection
  /** A connection of its own: a waiting read blocks the commands behind it. */
  readonly #reading: RedisConnection
  readonly #settings: StreamSettings
  readonly #options: SubscribeOptions
  readonly #group: string
  readonly #over = new AbortController()
  readonly #loops: readonly Promise<void>[]
  /** Entries that are read, but that no worker has taken yet. */
  readonly #queue: Entry[] = []
  /** Read, and not acknowledged: not to be delivered again. */
  readonly #inHand = new Set<string>()
  #handled: string[] = []
  readonly #left: string[] = []
  #acknowledging: Promise<void> | undefined
  /** Settles when entries of earlier readers are read: they are older than new ones, and come first. */
  #begun = Promise.withResolvers<void>()
  /** Whether the app has accepted no messages for the processing timeout, so that entries are returned. */
  #isAway = false
  /** Left-over entries, more than are read ahead, which are claimed after these. */
  #hasMore = false
  #look = new AbortController()
  #atWork = 0
  /** Whether the last read returned the maximum number of entries. */
  #wasFull = false
  /** Number of times that others have changed the group's position. */
  #moves = 0
  #position = ''
  /** Resolved when a worker is free again. */
  readonly #changed = new NextChange()

  /** Looks for returned messages now, before the next interval. */
  readonly look = (): void => this.#look.abort()

  private constructor(
    connections: {readonly connection: RedisConnection; readonly reading: RedisConnection},
    settings: StreamSettings,
    options: SubscribeOptions
  ) {
    this.#connection = connections.connection
    this.#reading = connections.reading
    this.#settings = settings
    this.#options = options
    this.#group = settings.consumerId || options.group
    this.#loops = [this.#read(), this.#redeliver()]
    READERS.add(this)
  }

  /** A new group begins with the first entry of the stream. */
  static async open(
    connection: RedisConnection,
    settings: StreamSettings,
    options: SubscribeOptions
  ): Promise<StreamReader> {
    await createGroup(connection, options.topic, settings.consumerId || options.group)
    return new StreamReader({connection, reading: await connection.duplicate()}, settings, options)
  }

  /** Stops reading. Settles when open entries are handled and acknowledged. */
  async stop(): Promise<void> {
    this.#over.abort()
    // a component that is opened again is closed before its subscriptions are stopped
    this.#leaveQueue()
    await Promise.all(this.#loops)
    while (this.#atWork > 0) await this.#changed.promise
    await this.#acknowledging
    READERS.delete(this)
    await this.#giveBack()
    await this.#reading.close()
  }

  #leaveQueue(): void {
    for (const {id} of this.#queue.splice(0)) this.#return(id)
    this.#changed.happened()
  }

  /** Returns unhandled entries: the next reader gets them at once, before new messages. */
  async #giveBack(): Promise<void> {
    const {topic, log} = this.#options
    const {processingTimeoutMs} = this.#settings
    const ids = this.#left.splice(0)
    if (ids.length === 0 || processingTimeoutMs === 0) return
    const idle = processingTimeoutMs.toString()
    const group = this.#group
    await this.#connection
      .command(['XCLAIM', topic, group, group, '0', ...ids, 'IDLE', idle, 'JUSTID'])
      .catch((error: unknown) =>
        log('warn', `redis streams: messages of stream ${topic} wait for redelivery: ${messageOf(error)}`)
      )
    for (const each of this.#peers) each.look()
  }

  /** Readers of the same group. Their entries may seem idle after the machine has slept, or while they stop. */
  get #peers(): readonly StreamReader[] {
    return [...READERS].filter(each => each.#options.topic === this.#options.topic && each.#group === this.#group)
  }

  /** More has been read than is being handled, or more is likely to be read at once. */
  get isBehind(): boolean {
    return this.#queue.length > 0 || this.#wasFull
  }

  /** How many messages the group has not read, or not acknowledged. */
  async backlog(): Promise<Backlog> {
    const {topic} = this.#options
    const groups = itemsIn(await this.#connection.command(['XINFO', 'GROUPS', topic])).map(fieldsOf)
    const group = groups.find(each => textOf(each.get('name')) === this.#group)
    const [last, read] = [textOf(group?.get('last-delivered-id')), textOf(group?.get('entries-read'))]
    const lag = Number(group?.get('lag') ?? 1)
    // after deletions Redis cannot count the unread entries; trimmed unread entries count forever (Redis 7.0)
    const unread = lag === 0 ? 0 : (await this.#hasUnread(last)) && lag
    if (this.#position !== `${last} ${read}`) this.#moves++
    this.#position = `${last} ${read}`
    return {waiting: unread + Number(group?.get('pending') ?? 0), count: this.#moves}
  }

  async #hasUnread(last: string): Promise<number> {
    if (last === '') return 0
    return itemsIn(await this.#connection.command(['XRANGE', this.#options.topic, `(${last}`, '+', 'COUNT', '1']))
      .length
  }

  get #limit(): number {
    return Math.max(1, this.#options.atOnce, this.#settings.concurrency)
  }

  async #read(): Promise<void> {
    const {topic, ready} = this.#options
    const {queueDepth, readTimeoutMs} = this.#settings
    const {signal} = this.#over
    const group = this.#group
    while (!signal.aborted) {
      // messages that the app cannot accept yet stay in the stream
      await ready()
      await this.#begun.promise
      while (this.#queue.length > 0 && !signal.aborted) await this.#changed.promise
      if (signal.aborted) return
      if (this.#isAway) continue // the reader has returned its messages
      const count = Math.max(queueDepth, this.#limit)
      const block = readTimeoutMs.toString()
      try {
        const reply = await this.#reading.command(
          ['XREADGROUP', 'GROUP', group, group, 'COUNT', count.toString(), 'BLOCK', block, 'STREAMS', topic, '>'],
          signal
        )
        const entries = itemsIn(itemsIn(itemsIn(reply)[0])[1])
        this.#wasFull = entries.length >= count
        this.#take(entries)
      } catch (error) {
        await this.#recover(error, `error reading from stream ${topic}`)
      }
    }
  }

  /** Claims messages that were unacknowledged for too long: at the start, and then repeatedly. */
  async #redeliver(): Promise<void> {
    const {redeliverIntervalMs, processingTimeoutMs} = this.#settings
    if (redeliverIntervalMs === 0 || processingTimeoutMs === 0) return this.#begun.resolve()
    const {signal} = this.#over
    let ready: Promise<void> | undefined
    for (let waited = 0; !signal.aborted;) {
      this.#look = new AbortController()
      try {
        await this.#keepInHand()
        ready ??= this.#options.ready()
        const isReady = await isWithin(redeliverIntervalMs, ready)
        waited = isReady ? 0 : waited + redeliverIntervalMs
        if (isReady) await this.#claim()
        else if (waited >= processingTimeoutMs) await this.#leave()
        if (!isReady) continue
      } catch (error) {
        await this.#recover(error, `error retrieving pending messages of stream ${this.#options.topic}`)
      }
      ready = undefined
      if (!this.#isAway && !this.#hasMore) this.#begun.resolve()
      await pause(redeliverIntervalMs, AbortSignal.any([signal, this.#look.signal]))
    }
    this.#begun.resolve()
  }

  /** Returns entries that the app does not accept, so that another instance can read them. */
  async #leave(): Promise<void> {
    if (!this.#isAway) {
      this.#begun.resolve() // the caller sees that the reader has left
      this.#begun = Promise.withResolvers()
    }
    this.#isAway = true
    this.#leaveQueue()
    this.#options.takeBack?.()
    await turn()
    await this.#giveBack()
  }

  /** Resets the idle time of messages under work, so that no other instance claims them. */
  async #keepInHand(): Promise<void> {
    if (this.#inHand.size === 0) return
    const group = this.#group
    await this.#connection.command(['XCLAIM', this.#options.topic, group, group, '0', ...this.#inHand, 'JUSTID'])
  }

  async #claim(): Promise<void> {
    if (this.#hasMore && this.#queue.length > 0) return
    const {topic} = this.#options
    const {processingTimeoutMs, queueDepth} = this.#settings
    const group = this.#group
    const idle = processingTimeoutMs.toString()
    this.#isAway = false
    this.#hasMore = false
    // first returns what is left of the last round
    await this.#giveBack()
    while (!this.#over.signal.aborted) {
      const count = queueDepth.toString()
      const pending = itemsIn(await this.#connection.command(['XPENDING', topic, group, 'IDLE', idle, '-', '+', count]))
      const ids = pending
        .map(each => textOf(itemsIn(each)[0]))
        .filter(id => !this.#peers.some(each => each.#inHand.has(id)))
      this.#hasMore = ids.length > 0 && pending.length >= queueDepth
      if (ids.length === 0) return
      const claimed = itemsIn(await this.#connection.command(['XCLAIM', topic, group, group, idle, ...ids]))
      const entries = claimed.filter(each => each !== null)
      this.#take(entries)
      // an entry that was deleted from the stream would be pending forever
      const there = new Set(entries.map(entry => textOf(itemsIn(entry)[0])))
      const gone = ids.filter(id => !there.has(id))
      if (gone.length > 0) await this.#dropDeleted(gone)
      if (!this.#hasMore || this.#queue.length > 0) return
    }
  }

  /** Acknowledges unclaimed ids whose entries were deleted from the stream. */
  async #dropDeleted(ids: readonly string[]): Promise<void> {
    const {topic} = this.#options
    for (const id of ids) {
      const found = itemsIn(await this.#connection.command(['XRANGE', topic, id, id]))
      if (found.length === 0) await this.#connection.command(['XACK', topic, this.#group, id])
    }
  }

  #take(entries: readonly RedisReply[]): void {
    for (const entry of entries) {
      const [id, fields] = itemsIn(entry)
      const read = {id: textOf(id), message: messageIn(itemsIn(fields))}
      if (this.#inHand.has(read.id)) continue
      if (this.#over.signal.aborted || this.#isAway) this.#left.push(read.id)
      else {
        this.#inHand.add(read.id)
        this.#queue.push(read)
      }
    }
    while (this.#atWork < this.#limit && this.#queue.length > 0) void this.#work()
  }

  async #work(): Promise<void> {
    this.#atWork++
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      if (this.#queue.length === 0) this.#changed.happened()
      if (this.#hasMore && this.#queue.length === 0) this.look()
      const handled = await this.#options.handle(entry.message)
      if (handled !== 'returned') this.#acknowledge(entry.id)
      else this.#return(entry.id)
    }
    this.#atWork--
    this.#changed.happened()
  }

  #return(id: string): void {
    this.#inHand.delete(id)
    if (this.#over.signal.aborted || this.#isAway) this.#left.push(id)
  }

  /** Acknowledges all messages that are handled in one turn of the event loop together. */
  #acknowledge(id: string): void {
    this.#handled.push(id)
    this.#acknowledging ??= this.#sendHandled()
  }

  async #sendHandled(): Promise<void> {
    const {topic, log} = this.#options
    await turn()
    while (this.#handled.length > 0) {
      const ids = this.#handled
      this.#handled = []
      try {
        await this.#connection.command(['XACK', topic, this.#group, ...ids])
        for (const id of ids) this.#inHand.delete(id)
      } catch (error) {
        log('warn', `redis streams: error acknowledging messages of stream ${topic}: ${messageOf(error)}`)
        this.#handled.unshift(...ids)
        if (this.#over.signal.aborted) break
        await pause(RETRY_MS, this.#over.signal)
      }
    }
    this.#acknowledging = undefined
  }

  /** Creates the group again if it was deleted; waits after other errors. */
  async #recover(error: unknown, what: string): Promise<void> {
    const {signal} = this.#over
    if (signal.aborted) return
    const {topic, log} = this.#options
    const why = messageOf(error)
    log('warn', `redis streams: ${what}: ${why}`)
    if (why.startsWith('NOGROUP')) {
      log('warn', `redis streams: the consumer group ${this.#group} of stream ${topic} is gone: it is created again`)
      try {
        return await createGroup(this.#connection, topic, this.#group)
      } catch (failure) {
        log('warn', `redis streams: the consumer group cannot be created: ${messageOf(failure)}`)
      }
    }
    await pause(RETRY_MS, signal)
  }
}

/** Names and values in turns. */
const fieldsOf = (reply: RedisReply): ReadonlyMap<string, RedisReply> =>
  new Map(itemsIn(reply).flatMap((name, at, all) => (at % 2 === 0 ? [[textOf(name), all[at + 1] ?? null]] : [])))

async function createGroup(connection: RedisConnection, topic: string, group: string): Promise<void> {
  const create = async (): Promise<unknown> => connection.command(['XGROUP', 'CREATE', topic, group, '0', 'MKSTREAM'])
  // ran without a reply: the run that served Redis may have ended, and another one serves it now
  const begun = create().catch(async (error: unknown) =>
    error instanceof RedisError ? Promise.reject(error) : create()
  )
  await begun.catch((error: unknown) => {
    if (!messageOf(error).startsWith('BUSYGROUP')) throw error
  })
}

function messageIn(fields: readonly RedisReply[]): BrokerMessage {
  let data: Buffer = Buffer.alloc(0)
  let metadata: BrokerMessage['metadata'] = {}
  for (let at = 0; at < fields.length; at += 2) {
    const name = textOf(fields[at])
    const value = fields[at + 1]
    if (name === 'data' && Buffer.isBuffer(value)) data = value
    if (name === 'metadata') metadata = metadataIn(textOf(value))
  }
  return {data, metadata}
}

/** Reads metadata. Keeps only texts: another program may write anything. */
function metadataIn(text: string): BrokerMessage['metadata'] {
  const value = jsonIn(text)
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => typeof each === 'string')
  ) as BrokerMessage['metadata']
}
