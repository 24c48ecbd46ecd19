import {reads, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import {noSuchKey, wrongArity} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {NIL_ARRAY, OK_STATUS, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {compareIds, formatId, invalidId, parseBound, parseId, type StreamId} from '../engine/stream-id.ts'
import type {StreamEntry} from '../engine/stream-changes.ts'
import {Stream} from '../engine/stream.ts'
import {parseTrim, trim, type Trim} from './stream-trim.ts'

export const STREAMS: CommandTable = {
  xadd: writes(-5, add),
  xlen: reads(2, ({db}, [key = '']) => db.stream(key)?.length ?? 0),
  xrange: ranges(false),
  xrevrange: ranges(true),
  xdel: writes(-3, ({db}, [key = '', ...texts]) => {
    const ids = texts.map(text => parseId(text))
    const stream = db.stream(key)
    const count = stream?.delete(ids) ?? 0
    if (count > 0) db.changed(key, 't', 'xdel')
    return count
  }),
  xtrim: writes(-4, ({db}, [key = '', ...options]) => {
    const {wanted, rest} = parseTrim(options, true)
    if (rest.length > 0) throw new RedisError('ERR syntax error')
    const stream = db.stream(key)
    const count = stream === undefined ? 0 : trim(stream, wanted)
    if (count > 0) db.changed(key, 't', 'xtrim')
    return count
  }),
  xsetid: writes(-3, setLastId)
}

/** Returns an entry as clients receive it. */
export const shown = (entry: StreamEntry): Result => [formatId(entry), entry.fields]

function add({db}: Session, args: readonly string[]): Result {
  const [key = ''] = args
  let at = 1
  let mayCreate = true
  let wanted: Trim | undefined
  for (;;) {
    const word = (args[at] ?? '').toUpperCase()
    if (word === 'NOMKSTREAM') {
      mayCreate = false
      at++
    } else if (word === 'MAXLEN' || word === 'MINID') {
      const parsed = parseTrim(args.slice(at), false)
      wanted = parsed.wanted
      at = args.length - parsed.rest.length
    } else break
  }
  const id = args[at] ?? ''
  const fields = args.slice(at + 1)
  if (fields.length === 0 || fields.length % 2 !== 0) throw wrongArity('xadd')
  const given = parseNewId(id)
  const existing = db.stream(key)
  if (existing === undefined && !mayCreate) return null
  const stream = existing ?? new Stream(db.isStored)
  const next = chooseId(stream.lastId, given)
  if (existing === undefined) db.put(key, stream)
  stream.add(next, fields)
  db.changed(key, 't', 'xadd')
  if (wanted !== undefined && trim(stream, wanted) > 0) db.changed(key, 't', 'xtrim')
  return formatId(next)
}

interface NewId {
  /** First part of the id. Omitted: the current time. */
  readonly ms?: number
  /** Second part of the id. Omitted: the next one. */
  readonly seq?: number
}

function parseNewId(text: string): NewId {
  if (text === '*') return {}
  if (text.endsWith('-*')) return {ms: parseId(text.slice(0, -2)).ms}
  const id = parseId(text)
  if (id.ms === 0 && id.seq === 0) throw new RedisError('ERR The ID specified in XADD must be greater than 0-0')
  if (Math.max(id.ms, id.seq) === Number.MAX_SAFE_INTEGER) throw invalidId()
  return id
}

function chooseId(last: StreamId, given: NewId): StreamId {
  const ms = given.ms ?? Math.max(Date.now(), last.ms)
  const seq = given.seq ?? (ms === last.ms ? last.seq + 1 : 0)
  if (seq > Number.MAX_SAFE_INTEGER)
    throw new RedisError('ERR The stream has exhausted the last possible ID, unable to add more items')
  if (compareIds({ms, seq}, last) <= 0)
    throw new RedisError('ERR The ID specified in XADD is equal or smaller than the target stream top item')
  return {ms, seq}
}

function ranges(isReversed: boolean): CommandDefinition {
  return reads(-4, ({db}, [key = '', from = '', to = '', ...options]) => {
    const [lowest, highest] = isReversed ? [to, from] : [from, to]
    const [start, end] = [parseBound(lowest, true), parseBound(highest, false)]
    const [word = 'COUNT', text, ...rest] = options
    if (word.toUpperCase() !== 'COUNT' || rest.length > 0 || (options.length > 0 && text === undefined))
      throw new RedisError('ERR syntax error')
    const count = text === undefined ? Infinity : Math.max(integer(text), 0)
    const stream = db.stream(key)
    if (stream === undefined) return []
    if (text !== undefined && count === 0) return NIL_ARRAY
    return (isReversed ? stream.rangeReversed(start, end, count) : stream.range(start, end, count)).map(shown)
  })
}

function setLastId({db}: Session, [key = '', text = '', ...options]: readonly string[]): Result {
  const id = parseId(text)
  const stream = db.stream(key)
  if (stream === undefined) throw noSuchKey()
  if (stream.last !== undefined && compareIds(id, stream.last) < 0)
    throw new RedisError('ERR The ID specified in XSETID is smaller than the target stream top item')
  let {entriesAdded, maxDeletedId} = stream
  for (let at = 0; at < options.length; at += 2) {
    const value = options[at + 1]
    const word = (options[at] ?? '').toUpperCase()
    if (value === undefined) throw new RedisError('ERR syntax error')
    if (word === 'ENTRIESADDED') entriesAdded = integer(value)
    else if (word === 'MAXDELETEDID') maxDeletedId = /^0(?:-0)?$/.test(value) ? maxDeletedId : parseId(value)
    else throw new RedisError('ERR syntax error')
  }
  if (entriesAdded < stream.length)
    throw new RedisError('ERR The entries_added specified in XSETID is smaller than the target stream length')
  if (maxDeletedId !== stream.maxDeletedId && compareIds(id, maxDeletedId) < 0)
    throw new RedisError('ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id')
  Object.assign(stream, {lastId: id, entriesAdded, maxDeletedId})
  db.changed(key, 't', 'xsetid')
  return OK_STATUS
}
