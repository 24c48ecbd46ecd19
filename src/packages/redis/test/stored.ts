import {once} from 'node:events'
import {watch} from 'node:fs'
import {DatabaseSync} from 'node:sqlite'
import {join} from 'node:path'
import type {Test} from 'tap'
import {BuiltInRedis} from '../built-in-redis.ts'
import type {Argument, RedisConnection} from '../connection.ts'
import {dump} from '../../../../test/rig/redis-keys.ts'
import {seeded, type Random} from '../../../../test/rig/seeded.ts'

interface Opened {
  readonly redis: BuiltInRedis
  readonly connection: RedisConnection
  readonly warnings: readonly string[]
  readonly run: (...args: readonly Argument[]) => Promise<unknown>
}

/** A built-in Redis whose keys are in this file. */
export async function open(file: string): Promise<Opened> {
  const warnings: string[] = []
  const redis = await BuiltInRedis.open({port: 0, file, warn: text => void warnings.push(text)})
  const connection = redis.connect()
  return {redis, connection, warnings, run: async (...args) => connection.command(args)}
}

export const fileIn = (t: Test): string => join(t.testdir(), 'state/redis.db')

/** What is in the tables, without what engines show. */
export function rowsIn(file: string): Readonly<Record<string, unknown>> {
  const database = new DatabaseSync(file)
  const count = (table: string): unknown => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']
  const counts = Object.fromEntries(['keys', 'entries', 'groups', 'pending'].map(table => [table, count(table)]))
  database.close()
  return counts
}

/** Random commands on streams: what they have done is written as it is. */
export async function walkStreams(t: Test, from: number, to: number): Promise<void> {
  const file = fileIn(t)
  for (let seed = from; seed <= to; seed++) {
    const {redis, connection, run} = await open(file)
    await run('FLUSHALL')
    const random = seeded(seed)
    for (let step = 0; step < 60; step++) {
      await connection.command(randomCommand(random)).catch(() => {}) // some are refused: fine
      if (step % 20 === 19) await written(file)
    }
    const before = await dump(connection)
    await redis.close()
    const again = await open(file)
    const after = await dump(again.connection)
    if (JSON.stringify(after) !== JSON.stringify(before)) t.same(after, before, `seed ${seed}`)
    t.same(again.warnings, [])
    await again.redis.close()
  }
}

/** The next time the file is written; the change that leads to it has been made. */
export async function written(file: string): Promise<void> {
  const watcher = watch(`${file}-wal`)
  await once(watcher, 'change')
  watcher.close()
}

function randomCommand(random: Random): readonly string[] {
  const key = (): string => `s${random(3)}`
  const group = (): string => `g${random(2)}`
  const id = (): string => `${1 + random(60)}-0`
  const commands: readonly (() => readonly string[])[] = [
    () => ['XADD', key(), '*', 'data', random(1000).toString()],
    () => ['XADD', key(), '*', 'data', random(1000).toString()],
    () => ['XADD', key(), 'MAXLEN', '5', '*', 'data', 'trimmed'],
    () => ['XADD', key(), id(), 'data', 'at'],
    () => ['XGROUP', 'CREATE', key(), group(), '0', 'MKSTREAM'],
    () => ['XGROUP', 'DESTROY', key(), group()],
    () => ['XGROUP', 'SETID', key(), group(), '0'],
    () => ['XGROUP', 'DELCONSUMER', key(), group(), 'a'],
    () => ['XREADGROUP', 'GROUP', group(), 'a', 'COUNT', '2', 'STREAMS', key(), '>'],
    () => ['XREADGROUP', 'GROUP', group(), 'b', 'STREAMS', key(), '>'],
    () => ['XACK', key(), group(), id()],
    () => ['XDEL', key(), id()],
    () => ['RENAME', key(), key()],
    () => ['COPY', key(), key(), 'REPLACE'],
    () => ['DEL', key()],
    () => ['SET', key(), 'text'],
    () => ['EXPIRE', key(), '1000']
  ]
  return commands[random(commands.length)]?.() ?? []
}
