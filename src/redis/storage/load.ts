import type {DatabaseSync} from 'node:sqlite'
import type {Engine} from '../engine/engine.ts'
import {parseId} from '../engine/stream-id.ts'
import {Stream} from '../engine/stream.ts'
import {DamagedRow, decodeAll, decodeValue} from './encoding.ts'

/** Where each stored stream is: a key of a database. */
export type StoredStreams = Map<number, {readonly database: number; readonly key: string}>

/** Reads all keys into an engine; those that have expired in the meantime are told as expired by the engine itself. */
export function load(file: DatabaseSync, engine: Engine): StoredStreams {
  const stored: StoredStreams = new Map()
  const streams = new Map<number, Stream>()
  for (const row of file.prepare('SELECT db, key, type, expires, value FROM keys ORDER BY rowid').iterate()) {
    const value = decodeValue(String(row['type']), bytesIn(row['value']))
    const [index, key] = [Number(row['db']), textIn(row['key'])]
    const database = engine.database(index)
    database.put(key, value)
    if (row['expires'] !== null) database.setExpiry(key, Number(row['expires']))
    if (!(value instanceof Stream)) continue
    streams.set(value.serial, value)
    stored.set(value.serial, {database: index, key})
  }
  const streamOf = (serial: unknown): Stream => {
    const stream = streams.get(Number(serial))
    if (stream === undefined) throw new DamagedRow('a row of a stream that is not there')
    return stream
  }
  for (const row of file.prepare('SELECT stream, ms, seq, fields FROM entries ORDER BY stream, ms, seq').iterate())
    streamOf(row['stream']).restore({
      ms: Number(row['ms']),
      seq: Number(row['seq']),
      fields: decodeAll(bytesIn(row['fields']))
    })
  for (const row of file.prepare('SELECT stream, name, state FROM groups').iterate())
    restoreGroup(streamOf(row['stream']), textIn(row['name']), decodeAll(bytesIn(row['state'])))
  const pending = file.prepare('SELECT * FROM pending ORDER BY stream, name, ms, seq')
  for (const row of pending.iterate()) {
    const group = streamOf(row['stream']).groups.get(textIn(row['name']))
    const consumer = textIn(row['consumer'])
    const deliveredAt = Number(row['deliveredAt'])
    if (group?.consumers.has(consumer) === false) group.consumer(consumer, deliveredAt)
    group?.assign({
      ms: Number(row['ms']),
      seq: Number(row['seq']),
      consumer,
      deliveredAt,
      deliveries: Number(row['deliveries'])
    })
  }
  for (const stream of streams.values()) stream.written()
  return stored
}

function restoreGroup(
  stream: Stream,
  name: string,
  [lastId = '', entriesRead = '', ...consumers]: readonly string[]
): void {
  const group = stream.createGroup(name, parseId(lastId), entriesRead === '' ? undefined : Number(entriesRead))
  for (let at = 0; at < consumers.length; at += 2) group.consumer(consumers[at] ?? '', Number(consumers[at + 1]))
}

function bytesIn(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) throw new DamagedRow('a value that is no bytes')
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

const textIn = (value: unknown): string => bytesIn(value).toString('latin1')
