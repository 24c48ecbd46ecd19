import {containing, reads, type CommandTable} from '../engine/command.ts'
import {noSuchKey, syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {RedisError, type Result} from '../engine/result.ts'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import type {Session} from '../engine/session.ts'
import {formatId, MAX_ID, MIN_ID} from '../engine/stream-id.ts'
import type {Stream} from '../engine/stream.ts'
import {lagOf} from './stream-read.ts'
import {shown} from './streams.ts'

export const STREAM_INFO: CommandTable = {
  xinfo: containing(
    {
      stream: reads(-3, (session, [key = '', ...rest]) => {
        const stream = streamAt(session, key)
        return rest.length === 0 ? ofStream(stream) : inFull(stream, rest)
      }),
      groups: reads(3, (session, [key = '']) => {
        const stream = streamAt(session, key)
        return sorted(stream.groups).map(([, group]) => ofGroup(stream, group))
      }),
      consumers: reads(4, ofConsumers)
    },
    [2, 2, 1]
  )
}

function streamAt({db}: Session, key: string): Stream {
  const stream = db.stream(key)
  if (stream === undefined) throw noSuchKey()
  return stream
}

function ofConsumers(session: Session, [key = '', name = '']: readonly string[]): Result {
  const group = streamAt(session, key).groups.get(name)
  if (group === undefined) throw new RedisError(`NOGROUP No such consumer group '${name}' for key name '${key}'`)
  return sorted(group.consumers).map(([consumer, {pending, seenAt}]) =>
    map({name: consumer, pending, idle: Math.max(Date.now() - seenAt, 0)})
  )
}

const map = (entries: Readonly<Record<string, Result>>): Result => new Map(Object.entries(entries))

const sorted = <T>(all: ReadonlyMap<string, T>): readonly (readonly [string, T])[] =>
  [...all].toSorted(([a], [b]) => (a < b ? -1 : 1))

/** Returns the figures of a stream. There is no radix tree: its figures are those of a small one. */
function head(stream: Stream): Readonly<Record<string, Result>> {
  return {
    length: stream.length,
    'radix-tree-keys': Math.ceil(stream.length / 100),
    'radix-tree-nodes': Math.ceil(stream.length / 100) + 1,
    'last-generated-id': formatId(stream.lastId),
    'max-deleted-entry-id': formatId(stream.maxDeletedId),
    'entries-added': stream.entriesAdded,
    'recorded-first-entry-id': formatId(stream.first ?? MIN_ID)
  }
}

function ofStream(stream: Stream): Result {
  const {first, last} = stream
  return map({
    ...head(stream),
    groups: stream.groups.size,
    'first-entry': first === undefined ? null : shown(first),
    'last-entry': last === undefined ? null : shown(last)
  })
}

const ofGroup = (stream: Stream, group: ConsumerGroup): Result =>
  map({name: group.name, consumers: group.consumers.size, pending: group.pending.size, ...positionOf(stream, group)})

const positionOf = (stream: Stream, group: ConsumerGroup): Readonly<Record<string, Result>> => ({
  'last-delivered-id': formatId(group.lastId),
  'entries-read': group.entriesRead ?? null,
  lag: lagOf(stream, group) ?? null
})

function inFull(stream: Stream, [word = '', ...options]: readonly string[]): Result {
  const [count = 'COUNT', text = '10'] = options
  if (word.toUpperCase() !== 'FULL' || count.toUpperCase() !== 'COUNT' || ![0, 2].includes(options.length))
    throw syntaxError()
  const most = integer(text) <= 0 ? Infinity : integer(text)
  return map({
    ...head(stream),
    entries: stream.range(MIN_ID, MAX_ID, most).map(shown),
    groups: sorted(stream.groups).map(([, group]) => groupInFull(stream, group, most))
  })
}

function groupInFull(stream: Stream, group: ConsumerGroup, most: number): Result {
  const pending = group.pending.all()
  return map({
    name: group.name,
    ...positionOf(stream, group),
    'pel-count': pending.length,
    pending: pending.slice(0, most).map(each => [formatId(each), each.consumer, each.deliveredAt, each.deliveries]),
    consumers: sorted(group.consumers).map(([name, {seenAt, pending: count}]) =>
      map({
        name,
        'seen-time': seenAt,
        'pel-count': count,
        pending: pending
          .filter(each => each.consumer === name)
          .slice(0, most)
          .map(each => [formatId(each), each.deliveredAt, each.deliveries])
      })
    )
  })
}
