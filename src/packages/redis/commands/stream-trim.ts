import {syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {RedisError} from '../engine/result.ts'
import {compareIds, parseId, type StreamId} from '../engine/stream-id.ts'
import type {Stream} from '../engine/stream.ts'

/** The limit of a trim. `~` allows Redis to keep more; ours trims exactly without extra cost. */
export interface Trim {
  readonly maxLength?: number
  readonly minId?: StreamId
  readonly limit: number
}

/** Reads MAXLEN or MINID, then `=` or `~`, the threshold, and LIMIT behind `~`. `isAlone`: in XTRIM, where no id follows. */
export function parseTrim(
  options: readonly string[],
  isAlone: boolean
): {readonly wanted: Trim; readonly rest: readonly string[]} {
  const [word = '', ...args] = options
  const kind = word.toUpperCase()
  if (kind !== 'MAXLEN' && kind !== 'MINID') throw syntaxError()
  const isApproximate = args[0] === '~'
  if (isApproximate || args[0] === '=') args.shift()
  const threshold = args.shift()
  if (threshold === undefined) throw syntaxError()
  let limit = Infinity
  if ((args[0] ?? '').toUpperCase() === 'LIMIT' && (isAlone || args.length > 2)) {
    const count = integer(args[1] ?? '')
    if (count < 0) throw new RedisError('ERR The LIMIT argument must be >= 0.')
    if (!isApproximate) throw new RedisError('ERR syntax error, LIMIT cannot be used without the special ~ option')
    limit = count === 0 ? Infinity : count
    args.splice(0, 2)
  }
  if (kind === 'MINID') return {wanted: {minId: parseId(threshold), limit}, rest: args}
  const maxLength = integer(threshold)
  if (maxLength < 0) throw new RedisError('ERR The MAXLEN argument must be >= 0.')
  return {wanted: {maxLength, limit}, rest: args}
}

/** Trims a stream, and returns the number of removed entries. */
export function trim(stream: Stream, {maxLength, minId, limit}: Trim): number {
  if (maxLength !== undefined) return stream.trimToLength(maxLength, limit)
  return minId === undefined ? 0 : stream.trimBefore(minId, limit)
}

/** Length above which entries that every group has acknowledged are dropped. */
const MAX_ACKNOWLEDGED = 10_000

/** Whether a text is a value, or a field name of Dapr's events. */
const isOfEvent = (text: string, at: number): boolean => at % 2 === 1 || text === 'data' || text === 'metadata'

/** Drops entries that every group has acknowledged from a long topic of Dapr, which does not trim topics by default. Keeps streams of other programs. */
export function dropAcknowledged(stream: Stream): void {
  const surplus = stream.length - MAX_ACKNOWLEDGED
  const {first} = stream
  if (surplus <= 0 || first?.fields.every(isOfEvent) !== true) return
  const open = stream.acknowledgedBefore()
  if (open !== undefined && compareIds(first, open) < 0) stream.trimBefore(open, surplus)
}
