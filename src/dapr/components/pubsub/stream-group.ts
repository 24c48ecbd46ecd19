import {jsonIn} from '../../../model/is-json.ts'
import type {Backlog} from '../../../model/activity.ts'
import {messageOf} from '../../../model/errors.ts'
import {itemsIn, RedisError, type RedisConnection, type RedisReply} from '#redis'
import type {BrokerMessage} from '../pubsub.ts'

export interface ReadEntry {
  readonly id: string
  readonly message: BrokerMessage
}

/** A consumer group of one stream, by the commands that `pubsub.redis` sends. The group has one consumer of the same name. */
export class StreamGroup {
  readonly topic: string
  readonly name: string
  readonly #connection: RedisConnection
  /** Number of `backlog` calls that found another position of the group than before. */
  #moves = 0
  #position = ''

  constructor(connection: RedisConnection, topic: string, name: string) {
    this.#connection = connection
    this.topic = topic
    this.name = name
  }

  /** Creates the group, unless it exists. A new group begins with the first entry of the stream. */
  async create(): Promise<void> {
    const create = async (): Promise<unknown> =>
      this.#connection.command(['XGROUP', 'CREATE', this.topic, this.name, '0', 'MKSTREAM'])
    // repeats a command without an answer: the run that served Redis may have ended, and another one serves it now
    const begun = create().catch(async (error: unknown) =>
      error instanceof RedisError ? Promise.reject(error) : create()
    )
    await begun.catch((error: unknown) => {
      if (!messageOf(error).startsWith('BUSYGROUP')) throw error
    })
  }

  /** Waits for new entries. `on`: a connection of its own, since a waiting read blocks the commands behind it. */
  async read(on: RedisConnection, count: number, waitMs: number, signal: AbortSignal): Promise<readonly ReadEntry[]> {
    const limits = ['COUNT', count.toString(), 'BLOCK', waitMs.toString()]
    const reply = await on.command(
      ['XREADGROUP', 'GROUP', this.name, this.name, ...limits, 'STREAMS', this.topic, '>'],
      signal
    )
    return entriesIn(itemsIn(itemsIn(itemsIn(reply)[0])[1]))
  }

  /** Returns the ids of entries that were delivered more than `idleMs` ago and not acknowledged. */
  async idle(idleMs: number, count: number): Promise<readonly string[]> {
    const asked = ['IDLE', idleMs.toString(), '-', '+', count.toString()]
    const pending = itemsIn(await this.#connection.command(['XPENDING', this.topic, this.name, ...asked]))
    return pending.map(each => textOf(itemsIn(each)[0]))
  }

  /** Takes over idle entries. Returns fewer if some were deleted, or claimed by others. */
  async claim(idleMs: number, ids: readonly string[]): Promise<readonly ReadEntry[]> {
    const claimed = await this.#connection.command([...this.#claimBy(idleMs), ...ids])
    return entriesIn(itemsIn(claimed).filter(each => each !== null))
  }

  /** Resets the idle time of entries, so that no other reader claims them. */
  async keep(ids: Iterable<string>): Promise<void> {
    await this.#connection.command([...this.#claimBy(0), ...ids, 'JUSTID'])
  }

  /** Makes entries look idle, so that the next reader claims them at once. */
  async giveBack(ids: readonly string[], idleMs: number): Promise<void> {
    await this.#connection.command([...this.#claimBy(0), ...ids, 'IDLE', idleMs.toString(), 'JUSTID'])
  }

  async acknowledge(ids: readonly string[]): Promise<void> {
    await this.#connection.command(['XACK', this.topic, this.name, ...ids])
  }

  /** Acknowledges entries that were deleted from the stream: they would be pending forever. */
  async acknowledgeDeleted(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const found = itemsIn(await this.#connection.command(['XRANGE', this.topic, id, id]))
      if (found.length === 0) await this.acknowledge([id])
    }
  }

  /** Counts the messages that the group has not read, or not acknowledged. */
  async backlog(): Promise<Backlog> {
    const groups = itemsIn(await this.#connection.command(['XINFO', 'GROUPS', this.topic])).map(fieldsOf)
    const group = groups.find(each => textOf(each.get('name')) === this.name)
    const [last, read] = [textOf(group?.get('last-delivered-id')), textOf(group?.get('entries-read'))]
    const lag = Number(group?.get('lag') ?? 1)
    // Redis does not know `lag` after deletions, and counts trimmed entries as unread forever (7.0)
    const unread = lag === 0 ? 0 : (await this.#hasUnread(last)) && lag
    if (this.#position !== `${last} ${read}`) this.#moves++
    this.#position = `${last} ${read}`
    return {waiting: unread + Number(group?.get('pending') ?? 0), count: this.#moves}
  }

  async #hasUnread(last: string): Promise<number> {
    if (last === '') return 0
    return itemsIn(await this.#connection.command(['XRANGE', this.topic, `(${last}`, '+', 'COUNT', '1'])).length
  }

  #claimBy(idleMs: number): readonly string[] {
    return ['XCLAIM', this.topic, this.name, this.name, idleMs.toString()]
  }
}

const textOf = (reply: RedisReply | undefined): string =>
  Buffer.isBuffer(reply) ? reply.toString() : String(reply ?? '')

/** Returns the fields of a reply in which names and values alternate. */
function fieldsOf(reply: RedisReply | undefined): ReadonlyMap<string, RedisReply> {
  const items = itemsIn(reply)
  const fields = new Map<string, RedisReply>()
  for (let at = 0; at < items.length; at += 2) fields.set(textOf(items[at]), items[at + 1] ?? null)
  return fields
}

const entriesIn = (replies: readonly RedisReply[]): readonly ReadEntry[] =>
  replies.map(reply => {
    const [id, fields] = itemsIn(reply)
    const found = fieldsOf(fields)
    const data = found.get('data')
    return {
      id: textOf(id),
      message: {
        data: Buffer.isBuffer(data) ? data : Buffer.alloc(0),
        metadata: metadataIn(textOf(found.get('metadata')))
      }
    }
  })

/** Reads metadata. Keeps only texts: another program may write anything. */
function metadataIn(text: string): BrokerMessage['metadata'] {
  const value = jsonIn(text)
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => typeof each === 'string')
  ) as BrokerMessage['metadata']
}
