import {reads, writes, type CommandTable} from '../engine/command.ts'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import type {Database} from '../engine/database.ts'
import {syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {NIL_ARRAY, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {compareIds, formatId, MIN_ID, parseBound, parseId, type StreamId} from '../engine/stream-id.ts'
import type {Stream} from '../engine/stream.ts'
import {shown} from './streams.ts'

export const STREAM_PENDING: CommandTable = {
  xpending: reads(-3, pending),
  xclaim: writes(-6, claim),
  xautoclaim: writes(-6, claimIdle)
}

function pending({db}: Session, [key = '', name = '', ...options]: readonly string[]): Result {
  if (options.length === 0) return summary(groupAt(db, key, name).group)
  const args = [...options]
  let idle = 0
  if ((args[0] ?? '').toUpperCase() === 'IDLE') {
    idle = integer(args[1] ?? '')
    args.splice(0, 2)
  }
  const [from = '', to = '', count, consumer, ...rest] = args
  if (count === undefined || rest.length > 0) throw syntaxError()
  const [start, end, most] = [parseBound(from, true), parseBound(to, false), integer(count)]
  const {group} = groupAt(db, key, name)
  const now = Date.now()
  const found: Result[] = []
  for (const entry of group.pending.all()) {
    if (found.length >= most || compareIds(entry, end) > 0) break
    if (compareIds(entry, start) < 0 || (consumer !== undefined && entry.consumer !== consumer)) continue
    const elapsed = Math.max(now - entry.deliveredAt, 0)
    if (elapsed >= idle) found.push([formatId(entry), entry.consumer, elapsed, entry.deliveries])
  }
  return found
}

function summary(group: ConsumerGroup): Result {
  const {size, first, last} = group.pending
  if (first === undefined || last === undefined) return [0, null, null, NIL_ARRAY]
  const consumers = [...group.consumers].filter(([, each]) => each.pending > 0).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [size, formatId(first), formatId(last), consumers.map(([name, each]) => [name, each.pending.toString()])]
}

/** XAUTOCLAIM: scans pending entries from an id on, and claims those that were idle long enough. */
function claimIdle(
  {db}: Session,
  [key = '', name = '', consumer = '', idle = '', from = '', ...options]: readonly string[]
): Result {
  const minIdle = idleTime(idle, 'XAUTOCLAIM')
  const start = parseBound(from, true)
  const {count, isJustId} = parseOptions(options)
  const {stream, group} = groupAt(db, key, name)
  const now = Date.now()
  const claimed: Result[] = []
  const gone: StreamId[] = []
  let left = count * 10
  let next: StreamId = MIN_ID
  for (const entry of group.pending.all()) {
    if (compareIds(entry, start) < 0) continue
    if (left-- <= 0 || claimed.length + gone.length >= count) {
      next = entry
      break
    }
    const message = stream.find(entry)
    if (message === undefined) {
      gone.push(entry)
      continue
    }
    if (now - entry.deliveredAt < minIdle) continue
    group.consumer(consumer, now)
    group.assign({...entry, consumer, deliveredAt: now, deliveries: entry.deliveries + (isJustId ? 0 : 1)})
    claimed.push(isJustId ? formatId(entry) : shown(message))
  }
  for (const id of gone) group.acknowledge(id)
  stream.changes?.groups.add(name)
  db.note(key, claimed.length + gone.length)
  return [formatId(next), claimed, gone.map(formatId)]
}

const idleTime = (text: string, command: string): number =>
  Math.max(
    integer(text, () => new RedisError(`ERR Invalid min-idle-time argument for ${command}`)),
    0
  )

function parseOptions(options: readonly string[]): {readonly count: number; readonly isJustId: boolean} {
  let count = 100
  let isJustId = false
  for (let at = 0; at < options.length; at++) {
    const option = (options[at] ?? '').toUpperCase()
    if (option === 'JUSTID') isJustId = true
    else if (option === 'COUNT' && at + 1 < options.length) count = integer(options[++at] ?? '')
    else throw syntaxError()
  }
  if (count < 1) throw new RedisError('ERR COUNT must be > 0')
  return {count, isJustId}
}

/** Returns a stream and its group. Throws Redis' error if one of them is missing. `where`: end of its text. */
export function groupAt(
  db: Database,
  key: string,
  name: string,
  where = ''
): {readonly stream: Stream; readonly group: ConsumerGroup} {
  const stream = db.stream(key)
  const group = stream?.groups.get(name)
  if (stream === undefined || group === undefined)
    throw new RedisError(`NOGROUP No such key '${key}' or consumer group '${name}'${where}`)
  return {stream, group}
}

interface ClaimOptions {
  deliveredAt: number
  deliveries?: number | undefined
  isForced?: boolean
  isJustId?: boolean
  lastId?: StreamId
}

/** XCLAIM: moves pending entries that were idle long enough to a consumer, and drops deleted ones. */
function claim({db}: Session, [key = '', name = '', consumer = '', idle = '', ...args]: readonly string[]): Result {
  const minIdle = idleTime(idle, 'XCLAIM')
  const firstOption = args.findIndex((arg, at) => at > 0 && CLAIM_OPTIONS.has(arg.toUpperCase()))
  const ids = (firstOption === -1 ? args : args.slice(0, firstOption)).map(text => parseId(text))
  const now = Date.now()
  const {stream, group} = groupAt(db, key, name)
  const options = parseClaim(firstOption === -1 ? [] : args.slice(firstOption), now)
  if (options.lastId !== undefined && compareIds(options.lastId, group.lastId) > 0) group.lastId = options.lastId
  const claimed: Result[] = []
  for (const id of ids) {
    const entry = group.pending.find(id)
    const message = stream.find(id)
    if (entry !== undefined && message === undefined) group.acknowledge(id)
    if (message === undefined || (entry === undefined && options.isForced !== true)) continue
    if (entry !== undefined && minIdle > 0 && now - entry.deliveredAt < minIdle) continue
    const deliveries = options.deliveries ?? (entry?.deliveries ?? 1) + (options.isJustId === true ? 0 : 1)
    group.consumer(consumer, now)
    group.assign({ms: id.ms, seq: id.seq, consumer, deliveredAt: options.deliveredAt, deliveries})
    claimed.push(options.isJustId === true ? formatId(id) : shown(message))
  }
  stream.changes?.groups.add(name)
  db.note(key, ids.length)
  return claimed
}

const CLAIM_OPTIONS = new Set(['IDLE', 'TIME', 'RETRYCOUNT', 'FORCE', 'JUSTID', 'LASTID'])

function parseClaim(args: readonly string[], now: number): ClaimOptions {
  const options: ClaimOptions = {deliveredAt: now}
  for (let at = 0; at < args.length; at++) {
    const option = (args[at] ?? '').toUpperCase()
    if (option === 'FORCE') options.isForced = true
    else if (option === 'JUSTID') options.isJustId = true
    else {
      const value = args[++at]
      if (value === undefined || !CLAIM_OPTIONS.has(option))
        throw new RedisError(`ERR Unrecognized XCLAIM option '${args[at - 1] ?? ''}'`)
      if (option === 'IDLE') options.deliveredAt = timeOr(now - amount(value, 'IDLE'), now)
      else if (option === 'TIME') options.deliveredAt = timeOr(amount(value, 'TIME'), now)
      else if (option === 'RETRYCOUNT') {
        const count = amount(value, 'RETRYCOUNT')
        options.deliveries = count < 0 ? undefined : count
      } else options.lastId = parseId(value)
    }
  }
  return options
}

/** Returns a given time, or now if the client's clock is ahead. */
const timeOr = (time: number, now: number): number => (time < 0 || time > now ? now : time)

const amount = (text: string, name: string): number =>
  integer(text, () => new RedisError(`ERR Invalid ${name} option argument for XCLAIM`))
