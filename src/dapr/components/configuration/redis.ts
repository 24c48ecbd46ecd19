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
  // a Redis that is an app of the run starts later
  const notified = notify(redis, options.warn)
  redis.onServer?.(() => void notify(redis, options.warn))
  return {
    capabilities: [],
    get: async keys => itemsOf(redis, keys.length > 0 ? keys : itemsIn(await redis.command(['KEYS', '*'])).map(String)),
    subscribe: async (keys, _, changed) => {
      const prefix = `__keyspace@${database}__:`
      const channels = keys.length > 0 ? [...new Set(keys)].map(escapePattern) : ['*']
      // asks once for each event: two requests might see different values
      const tell = async (key: string): Promise<void> => {
        const value = await redis.command(['GET', key]).catch((error: unknown) => {
          if (!messageOf(error).startsWith('WRONGTYPE')) throw error
          return undefined // the key belongs to a state item or a stream, and is no configuration
        })
        if (value !== undefined) changed({[key]: itemOf(value)})
      }
      await notified
      return beginAll(channels, async channel =>
        redis.subscribe(prefix + channel, name => {
          tell(name.slice(prefix.length)).catch((error: unknown) => options.warn(messageOf(error)))
        })
      )
    },
    close: async () => redis.close()
  }
}

/** Asks for events of keys; a server that forbids it may have them on already. */
const notify = async (redis: RedisConnection, warn: (text: string) => void): Promise<unknown> =>
  redis
    .command(['CONFIG', 'SET', 'notify-keyspace-events', 'KA'])
    .catch((error: unknown) => warn(`changes of configuration may not be seen: ${messageOf(error)}`))

/** Items of keys that have a value; keys of other types are left out. */
async function itemsOf(redis: RedisConnection, keys: readonly string[]): Promise<ConfigurationItems> {
  const values = keys.length === 0 ? [] : itemsIn(await redis.command(['MGET', ...keys]))
  const items = keys.map((key, at) => [key, itemOf(values[at] ?? null)] as const)
  return Object.fromEntries(items.filter(([, {value}]) => value !== ''))
}

/** The item of an answer; an empty one, if the key has no value. */
function itemOf(reply: RedisReply): ConfigurationItem {
  const [value = '', version = ''] = String(reply ?? '').split('||')
  return {value, version, metadata: {}}
}

/** A key as a pattern that fits it alone. */
const escapePattern = (key: string): string => key.replace(/[\\*?[\]]/g, String.raw`\$&`)
