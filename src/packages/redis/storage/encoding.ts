import type {Value} from '../engine/database.ts'
import {formatDouble, textPairs} from '../engine/result.ts'
import {List} from '../engine/list.ts'
import {parseFloating} from '../engine/numbers.ts'
import {SortedSet} from '../engine/sorted-set.ts'
import {formatId, MAX_ID, parseId} from '../engine/stream-id.ts'
import {Stream} from '../engine/stream.ts'

/** Names of types in the file. */
const TYPES = ['string', 'hash', 'list', 'set', 'zset', 'stream'] as const
type Type = (typeof TYPES)[number]

/** The stored form of a value. A stream has only its head here: its entries and groups have rows of their own. */
export interface StoredValue {
  readonly type: Type
  readonly bytes: Uint8Array
}

/** The error of a row that this program cannot have written. */
export class DamagedRow extends Error {}

export function encodeValue(value: Value): StoredValue {
  if (typeof value === 'string') return {type: 'string', bytes: encodeText(value)}
  if (value instanceof Map) return {type: 'hash', bytes: encodeHash(value)}
  if (value instanceof Set) return {type: 'set', bytes: encodeAll([...value])}
  if (value instanceof SortedSet)
    return {
      type: 'zset',
      bytes: encodeAll([...value.scores].flatMap(([member, score]) => [member, formatDouble(score)]))
    }
  if (!(value instanceof Stream)) return {type: 'list', bytes: encodeAll(value.toArray())}
  const {serial, lastId, maxDeletedId, entriesAdded, changes} = value
  // entries that wait for a later write are not counted yet: the groups that read them wait, too
  const since = changes?.partlySince
  const waiting = since === undefined ? 0 : value.range(since, MAX_ID).filter(({isStored}) => !isStored).length
  const head = [serial.toString(), formatId(lastId), formatId(maxDeletedId), (entriesAdded - waiting).toString()]
  return {type: 'stream', bytes: encodeAll(head)}
}

export function decodeValue(type: string, bytes: Buffer): Value {
  switch (type) {
    case 'string':
      return bytes.toString('latin1')
    case 'hash':
      return decodeHash(bytes)
    case 'list':
      return new List(decodeAll(bytes))
    case 'set':
      return new Set(decodeAll(bytes))
    case 'zset': {
      const set = new SortedSet()
      for (const [member, score] of textPairs(decodeAll(bytes))) set.set(member, parseFloating(score) ?? 0)
      return set
    }
    case 'stream': {
      const [serial = '', lastId = '', maxDeletedId = '', entriesAdded = ''] = decodeAll(bytes)
      const stream = new Stream(true, Number(serial))
      stream.lastId = parseId(lastId)
      stream.maxDeletedId = parseId(maxDeletedId)
      stream.entriesAdded = Number(entriesAdded)
      return stream
    }
    default:
      throw new DamagedRow(`unknown type ${type}`)
  }
}

export const encodeText = (text: string): Buffer => Buffer.from(text, 'latin1')

const LENGTH_BYTES = 4

/** Encodes byte strings, each after its length in 4 bytes. */
export function encodeAll(texts: readonly string[]): Buffer {
  let size = 0
  for (const text of texts) size += LENGTH_BYTES + text.length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const text of texts) at = encode(text, bytes, at)
  return bytes
}

function encodeHash(hash: ReadonlyMap<string, string>): Buffer {
  let size = 0
  for (const [field, value] of hash) size += 2 * LENGTH_BYTES + field.length + value.length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const [field, value] of hash) at = encode(value, bytes, encode(field, bytes, at))
  return bytes
}

/** Writes a text, and returns the offset after it. */
function encode(text: string, bytes: Buffer, at: number): number {
  const start = bytes.writeUInt32LE(text.length, at)
  return start + bytes.write(text, start, 'latin1')
}

function decodeHash(bytes: Buffer): Map<string, string> {
  const texts = decodeAll(bytes)
  const hash = new Map<string, string>()
  for (let at = 0; at < texts.length; at += 2) hash.set(nameOf(texts[at] ?? ''), texts[at + 1] ?? '')
  return hash
}

/** Returns a field name, one shared text for those of state items. */
const nameOf = (field: string): string => (field === 'data' ? 'data' : field === 'version' ? 'version' : field)

export function decodeAll(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at < bytes.length;) {
    if (at + LENGTH_BYTES > bytes.length) throw new DamagedRow('a length is cut off')
    const start = at + LENGTH_BYTES
    at = start + bytes.readUInt32LE(at)
    if (at > bytes.length) throw new DamagedRow('a text is cut off')
    texts.push(bytes.toString('latin1', start, at))
  }
  return texts
}
