import type {DatabaseSync} from 'node:sqlite'
import {setImmediate as turn} from 'node:timers/promises'
import {keepingYoung} from '../../../platform/heap.ts'
import type {RedisEngine} from '../engine/engine.ts'
import {parseId} from '../engine/stream-id.ts'
import {Stream} from '../engine/stream.ts'
import {DamagedRow, decodeAll, decodeValue} from './encoding.ts'

/** The rows of the file: the row of each key, by the index of its database, and the stream of each row. */
export interface StoredRows {
  readonly ids: Map<string, number>[]
  readonly serials: Map<number, number>
  readonly lastId: number
  /** Streams with rows that do not belong to a key. */
  readonly lost: ReadonlySet<number>
}

/** Number of rows to read in one turn of the event loop. */
const ROWS_A_TURN = 1000
/** Number of rows above which memory grows while they are read. */
const MANY_ROWS = 10_000

/** Reads all keys into an engine; the engine reports expired ones. */
export async function load(file: DatabaseSync, engine: RedisEngine): Promise<StoredRows> {
  const [[keys, entries] = []] = rows(file, 'SELECT (SELECT max(id) FROM keys), (SELECT count(*) FROM entries)')
  const hasMany = Number(keys) + Number(entries) > MANY_ROWS
  return hasMany ? keepingYoung(async () => loadAll(file, engine)) : loadAll(file, engine)
}

async function loadAll(file: DatabaseSync, engine: RedisEngine): Promise<StoredRows> {
  const ids: Map<string, number>[] = []
  const serials = new Map<number, number>()
  const streams = new Map<number, Stream>()
  let lastId = 0
  await each(file, 'SELECT * FROM keys ORDER BY id', ([id, index, name, type, expires, bytes]) => {
    const value = decodeValue(String(type), bytesIn(bytes))
    const key = textIn(name)
    const database = engine.database(Number(index))
    database.put(key, value)
    if (expires !== null) database.setExpiry(key, Number(expires))
    lastId = Number(id)
    ;(ids[database.index] ??= new Map()).set(key, lastId)
    if (!(value instanceof Stream)) return
    streams.set(value.serial, value)
    serials.set(lastId, value.serial)
  })
  const lost = new Set<number>()
  const streamOf = (serial: unknown): Stream | undefined => {
    const stream = streams.get(Number(serial))
    if (stream === undefined) lost.add(Number(serial))
    return stream
  }
  await each(file, 'SELECT * FROM entries ORDER BY stream, ms, seq', ([serial, ms, seq, fields]) => {
    streamOf(serial)?.restore({ms: Number(ms), seq: Number(seq)}, decodeAll(bytesIn(fields)))
  })
  for (const [serial, name, state] of rows(file, 'SELECT * FROM groups'))
    restoreGroup(streamOf(serial), textIn(name), decodeAll(bytesIn(state)))
  await each(file, 'SELECT * FROM pending ORDER BY stream, name, ms, seq', row => {
    const [serial, name, ms, seq, reader, time, deliveries] = row
    const group = streamOf(serial)?.groups.get(textIn(name))
    const consumer = textIn(reader)
    const deliveredAt = Number(time)
    if (group?.consumers.has(consumer) === false) group.consumer(consumer, deliveredAt)
    group?.assign({ms: Number(ms), seq: Number(seq), consumer, deliveredAt, deliveries: Number(deliveries)})
  })
  for (const stream of streams.values()) stream.written()
  return {ids, serials, lastId, lost}
}

type Row = readonly unknown[]

/** Passes on one row after the other, with pauses. */
async function each(file: DatabaseSync, query: string, take: (row: Row) => void): Promise<void> {
  let count = 0
  for (const row of rows(file, query)) {
    take(row)
    if (++count % ROWS_A_TURN === 0) await turn()
  }
}

/** Yields rows as arrays: objects with names would take half as long again. */
function rows(file: DatabaseSync, query: string): Iterable<Row> {
  const statement = file.prepare(query)
  statement.setReturnArrays(true)
  return statement.iterate() as Iterable<unknown> as Iterable<Row>
}

function restoreGroup(
  stream: Stream | undefined,
  name: string,
  [lastId = '', entriesRead = '', ...consumers]: readonly string[]
): void {
  const group = stream?.createGroup(name, parseId(lastId), entriesRead === '' ? undefined : Number(entriesRead))
  for (let at = 0; at < consumers.length; at += 2) group?.consumer(consumers[at] ?? '', Number(consumers[at + 1]))
}

function bytesIn(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) throw new DamagedRow('a value that is no bytes')
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

const textIn = (value: unknown): string => bytesIn(value).toString('latin1')
