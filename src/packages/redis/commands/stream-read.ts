import {keyless, reads, type CommandTable} from '../engine/command.ts'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import type {Database} from '../engine/database.ts'
import {syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {Blocked, NIL_ARRAY, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {compareIds, formatId, MAX_ID, MIN_ID, nextId, parseId, type StreamId} from '../engine/stream-id.ts'
import type {StreamEntry} from '../engine/stream-changes.ts'
import {Stream} from '../engine/stream.ts'
import {dropAcknowledged} from './stream-trim.ts'
import {groupAt} from './stream-pending.ts'
import {shown} from './streams.ts'

/** End of Redis' error for a missing group. */
const READING = ' in XREADGROUP with GROUP option'

export const STREAM_READS: CommandTable = {xread: reads(-4, read, [0, 0, 0]), xreadgroup: keyless(-7, readGroup)}

interface Request {
  readonly count: number
  /** Maximum wait in ms; undefined: the command does not wait. */
  readonly blockMs: number | undefined
  readonly noAck: boolean
  readonly streams: readonly (readonly [key: string, id: string])[]
}

type Found = readonly [key: string, entries: readonly Result[]]

function read(session: Session, args: readonly string[]): Result | Blocked {
  const request = parseRequest(args, 'XREAD')
  const {db} = session
  const from = request.streams.map(([key, text]) => {
    const stream = db.stream(key)
    if (text === '>')
      throw new RedisError(
        'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.'
      )
    return [key, text === '$' ? (stream?.lastId ?? {ms: 0, seq: 0}) : parseId(text)] as const
  })
  const attempt = (): Result | undefined =>
    answer(
      session,
      from.map(([key, id]) => {
        const [stream, start] = [db.get(key), nextId(id)]
        // a key of another type counts as an empty stream while the command waits
        if (start === undefined || !(stream instanceof Stream)) return [key, []]
        return [key, stream.range(start, MAX_ID, request.count).map(shown)]
      })
    )
  return attempt() ?? later(request, attempt)
}

function readGroup(session: Session, args: readonly string[]): Result | Blocked {
  const [word = '', group = '', consumer = '', ...options] = args
  if (word.toUpperCase() !== 'GROUP') throw syntaxError()
  const request = parseRequest(options, 'XREADGROUP')
  const {db} = session
  const {streams} = request
  for (const [key, text] of streams) {
    if (text === '$')
      throw new RedisError(
        'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.'
      )
    groupAt(db, key, group, READING)
    if (text !== '>') parseId(text)
  }
  const attempt = (): Result | undefined => {
    const found = streams.map(([key, text]) => [key, readFor(db, key, [group, consumer], text, request)] as const)
    const isHistory = streams.some(([, text]) => text !== '>')
    return answer(
      session,
      found.filter(([, entries], at) => entries.length > 0 || streams[at]?.[1] !== '>'),
      isHistory
    )
  }
  return attempt() ?? later(request, attempt)
}

function later({streams, blockMs}: Request, attempt: () => Result | undefined): Result | Blocked {
  const keys = streams.map(([key]) => key)
  return blockMs === undefined ? NIL_ARRAY : new Blocked(keys, blockMs, attempt)
}

/** Returns the reply; undefined: no entries. RESP3 has a map of streams. */
function answer({protocol}: Session, all: readonly Found[], isHistory = false): Result | undefined {
  const found = isHistory ? all : all.filter(([, entries]) => entries.length > 0)
  if (found.length === 0) return undefined
  return protocol === 3 ? new Map(found) : found
}

/** Reads for a consumer. Creates the consumer only if there are new entries. */
function readFor(
  db: Database,
  key: string,
  [name, consumer]: readonly [group: string, consumer: string],
  from: string,
  {count, noAck}: Request
): readonly Result[] {
  const {stream, group} = groupAt(db, key, name, READING)
  if (from === '>' && compareIds(stream.last ?? MIN_ID, group.lastId) <= 0) return []
  const isNew = !group.consumers.has(consumer)
  group.consumer(consumer, Date.now())
  const entries =
    from === '>'
      ? deliver(stream, group, consumer, count, noAck).map(shown)
      : history(stream, group, consumer, parseId(from), count)
  if (isNew || entries.length > 0) {
    stream.changes?.groups.add(name)
    if (isNew) db.changed(key, 't', 'xgroup-createconsumer')
    else db.note(key, entries.length)
  }
  if (noAck && entries.length > 0) dropAcknowledged(stream)
  return entries
}

function deliver(
  stream: Stream,
  group: ConsumerGroup,
  consumer: string,
  count: number,
  noAck: boolean
): readonly StreamEntry[] {
  const start = nextId(group.lastId)
  const entries = start === undefined ? [] : stream.range(start, MAX_ID, count)
  const deliveredAt = Date.now()
  for (const {ms, seq} of entries) {
    advance(stream, group, {ms, seq})
    if (!noAck) group.assign({ms, seq, consumer, deliveredAt, deliveries: 1})
  }
  return entries
}

/** Returns a consumer's pending entries again. Deleted ones have no fields. */
function history(
  stream: Stream,
  group: ConsumerGroup,
  consumer: string,
  after: StreamId,
  count: number
): readonly Result[] {
  const found: Result[] = []
  for (const entry of group.pending.all()) {
    if (found.length >= count) break
    if (entry.consumer !== consumer || compareIds(entry, after) <= 0) continue
    const message = stream.find(entry)
    if (message !== undefined) group.assign({...entry, deliveredAt: Date.now(), deliveries: entry.deliveries + 1})
    found.push(message === undefined ? [formatId(entry), NIL_ARRAY] : shown(message))
  }
  return found
}

function parseRequest(args: readonly string[], command: string): Request {
  let count = Infinity
  let blockMs: number | undefined
  let noAck = false
  for (let at = 0; at < args.length; at++) {
    const option = (args[at] ?? '').toUpperCase()
    if (option === 'STREAMS') return {count, blockMs, noAck, streams: pairsOf(args.slice(at + 1), command)}
    if (option === 'NOACK' && command === 'XREADGROUP') {
      noAck = true
      continue
    }
    const value = args[++at]
    if (value === undefined) throw syntaxError()
    if (option === 'COUNT') count = integer(value) > 0 ? integer(value) : Infinity
    else if (option === 'BLOCK') {
      blockMs = integer(value, () => new RedisError('ERR timeout is not an integer or out of range'))
      if (blockMs < 0) throw new RedisError('ERR timeout is negative')
    } else throw syntaxError()
  }
  throw syntaxError()
}

function pairsOf(args: readonly string[], command: string): readonly (readonly [string, string])[] {
  const half = args.length / 2
  if (half === 0 || !Number.isInteger(half))
    throw new RedisError(
      `ERR Unbalanced ${command} list of streams: for each stream key an ID or '${command === 'XREAD' ? '$' : '>'}' must be specified.`
    )
  return args.slice(0, half).map((key, at) => [key, args[half + at] ?? ''])
}

// How many entries a group has read, and how many are left (`entries-read`, `lag`), as t_stream.c of Redis 7 counts them.

function advance(stream: Stream, group: ConsumerGroup, id: StreamId): void {
  if (group.entriesRead !== undefined && !hasGapBehind(stream, id)) group.entriesRead++
  else group.entriesRead = positionOf(stream, id)
  group.lastId = id
}

/** Returns how many entries the group has not read; undefined if it cannot be known. */
export function lagOf(stream: Stream, group: ConsumerGroup): number | undefined {
  if (stream.entriesAdded === 0) return 0
  const readCount =
    group.entriesRead !== undefined && !hasGapBehind(stream, group.lastId)
      ? group.entriesRead
      : positionOf(stream, group.lastId)
  return readCount === undefined ? undefined : stream.entriesAdded - readCount
}

/** Whether an entry at or after this id, and after the first one, was deleted. */
const hasGapBehind = ({first, maxDeletedId}: Stream, id: StreamId): boolean =>
  first !== undefined && compareIds(first, maxDeletedId) <= 0 && compareIds(id, maxDeletedId) <= 0

/** How many entries were added up to this id; undefined if deleted ones make it unknown. */
function positionOf(stream: Stream, id: StreamId): number | undefined {
  const {entriesAdded, first, lastId, length, maxDeletedId} = stream
  if (entriesAdded === 0) return 0
  const behind = compareIds(id, lastId)
  if (first === undefined) return behind <= 0 ? entriesAdded : undefined
  if (compareIds(id, MIN_ID) > 0 && compareIds(id, maxDeletedId) < 0) return undefined
  if (behind === 0) return entriesAdded
  const toFirst = compareIds(id, first)
  if (behind > 0 || toFirst > 0 || compareIds(maxDeletedId, first) >= 0) return undefined
  return toFirst < 0 ? entriesAdded - length : entriesAdded - length + 1
}
