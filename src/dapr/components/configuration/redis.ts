import {itemsIn, type RedisConnection, type RedisReply} from '#redis'
import {beginAll} from '../../../model/begin-all.ts'
import {messageOf} from '../../../model/errors.ts'
import type {OpenComponent} from '../component.ts'
import type {ConfigurationItem, ConfigurationItems, ConfigurationStore} from '../configuration-store.ts'
import {openRedis} from '../redis/open-redis.ts'

/** `configuration.redis`: a key is a text, a value `text||version` (components-contrib: configuration/redis). */
export const open: OpenComponent<ConfigurationStore> = async options => {
  const redis = await openRedis('redis store: error connecting to redis', options)
  const database = options.properties.integer('redisDB', 0)
  // again at each new server, which does not know the setting
  const notified = notify(redis, options.warn)
  redis.onServer?.(() => void notify(redis, options.warn))
  return {
    capabilities: [],
    get: async keys => itemsOf(redis, keys.length > 0 ? keys : itemsIn(await redis.command(['KEYS', '*'])).map(String)),
    subscribe: async (keys, _, changed) => {
      const prefix = `__keyspace@${database}__:`
      const channels = keys.length > 0 ? [...new Set(keys)].map(escapePattern) : ['*']
      // asks once for each event: two requests might see different values
      const report = async (key: string): Promise<void> => {
        const value = await redis.command(['GET', key]).catch((error: unknown) => {
          if (!messageOf(error).startsWith('WRONGTYPE')) throw error
          return undefined // the key is a state item or a stream
        })
        if (value !== undefined) changed({[key]: itemOf(value)})
      }
      await notified
      return beginAll(channels, async channel =>
        redis.subscribe(prefix + channel, name => {
          report(name.slice(prefix.length)).catch((error: unknown) => options.warn(messageOf(error)))
        })
      )
    },
    close: async () => redis.close()
  }
}

/** Turns on events of keys. Only warns if the server forbids that: they may be on already. */
const notify = async (redis: RedisConnection, warn: (text: string) => void): Promise<unknown> =>
  redis
    .command(['CONFIG', 'SET', 'notify-keyspace-events', 'KA'])
    .catch((error: unknown) => warn(`changes of configuration may not be seen: ${messageOf(error)}`))

/** Returns the items of keys with a value. Redis returns no value for keys of other types. */
async function itemsOf(redis: RedisConnection, keys: readonly string[]): Promise<ConfigurationItems> {
  const values = keys.length === 0 ? [] : itemsIn(await redis.command(['MGET', ...keys]))
  const items = keys.map((key, at) => [key, itemOf(values[at] ?? null)] as const)
  return Object.fromEntries(items.filter(([, {value}]) => value !== ''))
}

/** Reads an item, which is empty if the key has no value. */
function itemOf(reply: RedisReply): ConfigurationItem {
  const [value = '', version = ''] = String(reply ?? '').split('||')
  return {value, version, metadata: {}}
}

/** Returns a pattern that matches only this key. */
const escapePattern = (key: string): string => key.replace(/[\\*?[\]]/g, String.raw`\$&`)
