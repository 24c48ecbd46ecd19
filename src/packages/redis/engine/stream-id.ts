import {bisect} from './numbers.ts'
import {RedisError} from './result.ts'

/** The id of a stream entry: ms and a sequence number. Redis has 64 bits for each, ours 53, which is enough for times. */
export interface StreamId {
  readonly ms: number
  readonly seq: number
}

export const MIN_ID: StreamId = {ms: 0, seq: 0}
export const MAX_ID: StreamId = {ms: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER}

export const invalidId = (): RedisError => new RedisError('ERR Invalid stream ID specified as stream command argument')

export const compareIds = (a: StreamId, b: StreamId): number => a.ms - b.ms || a.seq - b.seq

export const formatId = ({ms, seq}: StreamId): string => `${shownTime(ms)}-${shown(seq)}`

let lastMs = 0
let lastText = '0'

/** Formats the time of an id. Keeps the latest text: consecutive ids mostly have the same time. */
function shownTime(ms: number): string {
  if (ms === lastMs) return lastText
  lastText = shown(ms)
  lastMs = ms
  return lastText
}

const shown = (value: number): string => (value === Number.MAX_SAFE_INTEGER ? '18446744073709551615' : value.toString())

/** Parses `ms-seq`, or `ms` alone, which gets the sequence number `missingSeq`. */
export function parseId(text: string, missingSeq = 0): StreamId {
  const dash = text.indexOf('-')
  const ms = parsePart(dash === -1 ? text : text.slice(0, dash))
  return {ms, seq: dash === -1 ? missingSeq : parsePart(text.slice(dash + 1))}
}

function parsePart(text: string): number {
  if (!/^\d{1,20}$/.test(text) || (text.length === 20 && text > '18446744073709551615')) throw invalidId()
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}

/** Parses an end of a range: `-`, `+`, an id, or `(` before an id that is left out. */
export function parseBound(text: string, isStart: boolean): StreamId {
  if (text === '-') return MIN_ID
  if (text === '+') return MAX_ID
  if (!text.startsWith('(')) return parseId(text, isStart ? 0 : Number.MAX_SAFE_INTEGER)
  const id = parseId(text.slice(1), isStart ? 0 : Number.MAX_SAFE_INTEGER)
  const edge = isStart ? nextId(id) : previousId(id)
  if (edge === undefined) throw new RedisError(`ERR invalid ${isStart ? 'start' : 'end'} ID for the interval`)
  return edge
}

export function nextId({ms, seq}: StreamId): StreamId | undefined {
  if (seq < Number.MAX_SAFE_INTEGER) return {ms, seq: seq + 1}
  return ms < Number.MAX_SAFE_INTEGER ? {ms: ms + 1, seq: 0} : undefined
}

function previousId({ms, seq}: StreamId): StreamId | undefined {
  if (seq > 0) return {ms, seq: seq - 1}
  return ms > 0 ? {ms: ms - 1, seq: Number.MAX_SAFE_INTEGER} : undefined
}

/** Returns the index of the first entry from `head` on that is not before an id, in ascending entries. */
export function indexOf(entries: readonly StreamId[], head: number, id: StreamId): number {
  const last = entries.at(-1)
  // the end is asked for most often
  if (last !== undefined && compareIds(last, id) < 0) return entries.length
  return bisect(entries, entry => compareIds(entry, id) < 0, head)
}
