import type {Value} from '../engine/database.ts'
import {List} from '../engine/list.ts'
import {parseInt64} from '../engine/numbers.ts'
import {SortedSet} from '../engine/sorted-set.ts'
import {MAX_ID, MIN_ID} from '../engine/stream-id.ts'
import {Stream} from '../engine/stream.ts'

/** The name of a value's type; `none` for a missing key. */
export function typeOf(value: Value | undefined): string {
  if (value === undefined) return 'none'
  if (typeof value === 'string') return 'string'
  if (value instanceof Map) return 'hash'
  if (value instanceof Set) return 'set'
  if (value instanceof SortedSet) return 'zset'
  return value instanceof Stream ? 'stream' : 'list'
}

/** The encoding that Redis 7 would choose: people read it to see whether a value is large. */
export function encodingOf(value: Value): string {
  if (typeof value === 'string') {
    if (parseInt64(value) !== undefined) return 'int'
    return value.length <= 44 ? 'embstr' : 'raw'
  }
  if (value instanceof Stream) return 'stream'
  if (value instanceof List) return 'quicklist'
  if (value instanceof Set) {
    const isAllNumbers = [...value].every(member => parseInt64(member) !== undefined)
    return isAllNumbers && value.size <= 512 ? 'intset' : 'hashtable'
  }
  const [texts, most] = value instanceof SortedSet ? [[...value.scores.keys()], 128] : [[...value].flat(), 1024] // fields and values
  const isSmall = texts.length <= most && texts.every(text => text.length <= 64)
  if (isSmall) return 'listpack'
  return value instanceof SortedSet ? 'skiplist' : 'hashtable'
}

/** Estimates the bytes of a key and its value. */
export function memoryOf(key: string, value: Value): number {
  const base = key.length + 56
  if (typeof value === 'string') return base + value.length
  if (value instanceof Map) return base + sum(value.keys()) + sum(value.values())
  if (value instanceof SortedSet) return base + sum(value.scores.keys()) + 8 * value.scores.size
  if (!(value instanceof Stream)) return base + sum(value)
  return base + value.range(MIN_ID, MAX_ID).reduce((bytes, {fields}) => bytes + 16 + sum(fields), 0)
}

function sum(texts: Iterable<string>): number {
  let bytes = 0
  for (const text of texts) bytes += text.length + 16
  return bytes
}

/** Copies a value, so that a change of one does not affect the other. */
export function copyOfValue(value: Value): Value {
  if (typeof value === 'string') return value
  if (value instanceof Map) return new Map(value)
  if (value instanceof Set) return new Set(value)
  if (value instanceof List) return new List(value.toArray())
  return value instanceof SortedSet ? new SortedSet(new Map(value.scores)) : copyOfStream(value)
}

function copyOfStream(value: Stream): Stream {
  const copy = new Stream(value.changes !== undefined)
  for (const entry of value.range(MIN_ID, MAX_ID)) copy.add(entry, entry.fields)
  const {lastId, maxDeletedId, entriesAdded} = value
  Object.assign(copy, {lastId, maxDeletedId, entriesAdded})
  for (const [name, group] of value.groups) {
    const same = copy.createGroup(name, group.lastId, group.entriesRead)
    for (const [consumer, {seenAt}] of group.consumers) same.consumer(consumer, seenAt)
    for (const entry of group.pending.all()) same.assign(entry)
  }
  return copy
}
