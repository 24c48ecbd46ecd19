import type {Value} from '../engine/database.ts'
import {SortedSet} from '../engine/sorted-set.ts'
import {MAX_ID, MIN_ID} from '../engine/stream-id.ts'
import {Stream} from '../engine/stream.ts'

/** A value of its own with the same content. */
export function copyOfValue(value: Value): Value {
  if (typeof value === 'string') return value
  if (value instanceof Map) return new Map(value)
  if (value instanceof Set) return new Set(value)
  if (Array.isArray(value)) return [...value]
  return value instanceof SortedSet ? copyOfSortedSet(value) : copyOfStream(value)
}

function copyOfSortedSet(value: SortedSet): SortedSet {
  const copy = new SortedSet()
  for (const [member, score] of value.scores) copy.set(member, score)
  return copy
}

function copyOfStream(value: Stream): Stream {
  const copy = new Stream(value.changes !== undefined)
  for (const entry of value.range(MIN_ID, MAX_ID)) copy.add(entry, entry.fields)
  copy.lastId = value.lastId
  copy.maxDeletedId = value.maxDeletedId
  copy.entriesAdded = value.entriesAdded
  for (const [name, group] of value.groups) {
    const same = copy.createGroup(name, group.lastId, group.entriesRead)
    for (const [consumer, {seenAt}] of group.consumers) same.consumer(consumer, seenAt)
    for (const entry of group.pending.all()) same.assign(entry)
  }
  return copy
}
