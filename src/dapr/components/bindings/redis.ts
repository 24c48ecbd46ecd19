import type {RedisConnection} from '#redis'
import {parseGoDuration} from '../../../model/go-duration.ts'
import {bindingOf, type Binding, type BindingRequest, type BindingResponse} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {textNamed} from '../component-values.ts'
import {openRedis} from '../redis/open-redis.ts'

type Metadata = BindingRequest['metadata']

/** `bindings.redis`: keys as they are (components-contrib: bindings/redis). */
export const open: OpenComponent<Binding> = async options => {
  const redis = await openRedis('redis binding: error connecting to redis', options)
  return bindingOf(options, {
    output: {
      operations: ['create', 'delete', 'get', 'increment'],
      invoke: async request => {
        const key = request.metadata['key'] ?? ''
        if (key === '') throw new Error('redis binding: missing key in request metadata')
        return invoke(redis, key, request)
      }
    },
    close: async () => redis.close()
  })
}

async function invoke(
  redis: RedisConnection,
  key: string,
  {operation, data, metadata}: BindingRequest
): Promise<BindingResponse | undefined> {
  switch (operation) {
    case 'get': {
      const value = await redis.command([metadata['delete'] === 'true' ? 'GETDEL' : 'GET', key])
      return {data: Buffer.isBuffer(value) ? value : Buffer.alloc(0), metadata: {}}
    }
    case 'delete':
      await redis.command(['DEL', key])
      return undefined
    case 'increment':
      await redis.command(['INCR', key])
      break
    default:
      await redis.command(['SET', key, data])
  }
  const ttl = ttlIn(metadata)
  if (ttl !== undefined) await redis.command(['EXPIRE', key, ttl.toString()])
  return undefined
}

/** Reads `ttl` or `ttlInSeconds`, a duration or a number, in whole seconds; undefined: not given (components-contrib: metadata.TryGetTTL). */
function ttlIn(metadata: Metadata): number | undefined {
  const text = textNamed(metadata, 'ttl') || textNamed(metadata, 'ttlInSeconds')
  if (text === '') return undefined
  if (/^[-+]?\d+$/.test(text)) {
    const seconds = Number(text)
    if (seconds >= 0) return seconds
    throw new Error(`ttl value must be higher than zero: actual is '${seconds}'`)
  }
  const ms = parseGoDuration(text)
  if (typeof ms === 'string') throw new Error(`ttl value must be a valid integer: actual is '${text}'`)
  return Math.max(0, Math.trunc(ms / 1000))
}
