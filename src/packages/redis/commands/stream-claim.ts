import {integer} from '../engine/numbers.ts'
import {RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {compareIds, formatId, parseId, type StreamId} from '../engine/stream-id.ts'
import {shown} from './streams.ts'
import type {ConsumerGroup} from '../engine/consumer-group.ts'
import type {Database} from '../engine/database.ts'
import type {Stream} from '../engine/stream.ts'

/** The group, or an error that names it. */
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
  deliveries: number | undefined
  isForced: boolean
  isJustId: boolean
  lastId: StreamId | undefined
}

/** XCLAIM: pending entries that were idle for long enough get another consumer; deleted ones are no longer pending. */
export function claim(
  {db}: Session,
  [key = '', name = '', consumer = '', idle = '', ...args]: readonly string[]
): Result {
  const minIdle = Math.max(
    integer(idle, () => new RedisError('ERR Invalid min-idle-time argument for XCLAIM')),
    0
  )
  const firstOption = args.findIndex((arg, at) => at > 0 && OPTIONS.has(arg.toUpperCase()))
  const ids = (firstOption === -1 ? args : args.slice(0, firstOption)).map(text => parseId(text))
  const now = Date.now()
  const {stream, group} = groupAt(db, key, name)
  const options = parseOptions(firstOption === -1 ? [] : args.slice(firstOption), now)
  if (options.lastId !== undefined && compareIds(options.lastId, group.lastId) > 0) group.lastId = options.lastId
  group.consumer(consumer, now)
  const claimed: Result[] = []
  for (const id of ids) {
    const entry = group.pending.find(id)
    const message = stream.find(id)
    if (entry !== undefined && message === undefined) group.acknowledge(id)
    if (message === undefined || (entry === undefined && !options.isForced)) continue
    if (entry !== undefined && minIdle > 0 && now - entry.deliveredAt < minIdle) continue
    const deliveries =
      options.deliveries ?? (entry?.deliveries ?? 1) + (options.isJustId || entry === undefined ? 0 : 1)
    group.assign({ms: id.ms, seq: id.seq, consumer, deliveredAt: options.deliveredAt, deliveries})
    claimed.push(options.isJustId ? formatId(id) : shown(message))
  }
  stream.changes?.groups.add(name)
  db.note(key, ids.length)
  return claimed
}

const OPTIONS = new Set(['IDLE', 'TIME', 'RETRYCOUNT', 'FORCE', 'JUSTID', 'LASTID'])

function parseOptions(args: readonly string[], now: number): ClaimOptions {
  const options: ClaimOptions = {
    deliveredAt: now,
    deliveries: undefined,
    isForced: false,
    isJustId: false,
    lastId: undefined
  }
  for (let at = 0; at < args.length; at++) {
    const option = (args[at] ?? '').toUpperCase()
    if (option === 'FORCE') options.isForced = true
    else if (option === 'JUSTID') options.isJustId = true
    else {
      const value = args[++at]
      if (value === undefined || !OPTIONS.has(option))
        throw new RedisError(`ERR Unrecognized XCLAIM option '${args[at - 1] ?? ''}'`)
      if (option === 'IDLE') options.deliveredAt = now - amount(value, 'IDLE')
      else if (option === 'TIME') options.deliveredAt = amount(value, 'TIME')
      else if (option === 'RETRYCOUNT') options.deliveries = amount(value, 'RETRYCOUNT')
      else options.lastId = parseId(value)
    }
  }
  return options
}

const amount = (text: string, name: string): number =>
  integer(text, () => new RedisError(`ERR Invalid ${name} option argument for XCLAIM`))
