import type {ConsumerGroup} from '../engine/consumer-group.ts'
import {compareIds, MIN_ID, type StreamId} from '../engine/stream-id.ts'
import type {Stream} from '../engine/stream.ts'

// How many entries a group has read, and how many are left (`entries-read`, `lag`), as t_stream.c of Redis 7 counts them.

/** The group has read this entry. */
export function advance(stream: Stream, group: ConsumerGroup, id: StreamId): void {
  if (group.entriesRead !== undefined && !hasGapBehind(stream, id)) group.entriesRead++
  else group.entriesRead = positionOf(stream, id)
  group.lastId = id
}

/** Returns how many entries the group has not read; undefined if it cannot be known. */
export function lagOf(stream: Stream, group: ConsumerGroup): number | undefined {
  if (stream.entriesAdded === 0) return 0
  const read =
    group.entriesRead !== undefined && !hasGapBehind(stream, group.lastId)
      ? group.entriesRead
      : positionOf(stream, group.lastId)
  return read === undefined ? undefined : stream.entriesAdded - read
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
