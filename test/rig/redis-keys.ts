import type {RedisConnection, RedisReply} from '../../src/packages/redis/connection.ts'

const READERS: Readonly<Record<string, (key: string) => readonly string[]>> = {
  string: key => ['GET', key],
  hash: key => ['HGETALL', key],
  list: key => ['LRANGE', key, '0', '-1'],
  set: key => ['SMEMBERS', key],
  zset: key => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  stream: key => ['XRANGE', key, '-', '+']
}

/** All keys of a database with their values, times and groups, as text. */
export async function dump(connection: RedisConnection): Promise<Readonly<Record<string, unknown>>> {
  const ask = async (...args: readonly string[]): Promise<unknown> =>
    shown(await connection.command(args.map(arg => Buffer.from(arg, 'latin1'))))
  const all: Record<string, unknown> = {}
  for (const key of ((await ask('KEYS', '*')) as readonly string[]).toSorted()) {
    const type = String(await ask('TYPE', key))
    const value = await ask(...(READERS[type]?.(key) ?? []))
    const expires = await ask('PEXPIRETIME', key)
    all[key] = type === 'stream' ? {value, expires, ...(await streamOf(ask, key))} : {type, value, expires}
  }
  return all
}

async function streamOf(ask: (...args: readonly string[]) => Promise<unknown>, key: string): Promise<object> {
  const groups = (await ask('XINFO', 'GROUPS', key)) as readonly (readonly unknown[])[]
  const pending = await Promise.all(groups.map(async group => ask('XPENDING', key, String(group[1]))))
  const consumers = await Promise.all(
    groups.map(async group => {
      const found = (await ask('XINFO', 'CONSUMERS', key, String(group[1]))) as readonly (readonly unknown[])[]
      return found.map(consumer => consumer.slice(0, 4)) // without the idle time
    })
  )
  return {head: await ask('XINFO', 'STREAM', key), groups, pending, consumers}
}

/** Bytes as text. */
export function shown(reply: RedisReply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1')
  return Array.isArray(reply) ? (reply as readonly RedisReply[]).map(shown) : reply
}
