import {messageOf} from '../../model/errors.ts'
import type {RedisAddress} from '../../redis/client-connection.ts'
import type {RedisConnection} from '../../redis/connection.ts'
import type {OpenOptions} from '../component.ts'
import type {Properties} from '../properties.ts'

const DEFAULT_PORT = 6379

/** Connects a component to its Redis; `prefix`: what precedes Dapr's error. */
export async function openRedis(prefix: string, {properties, redis}: OpenOptions): Promise<RedisConnection> {
  const address = addressOf(properties)
  try {
    return await redis.connect(address)
  } catch (error) {
    const at = `${address.host}:${address.port.toString()}`
    return properties.fault('redisHost', `${prefix} at ${at}: ${messageOf(error)}`)
  }
}

/** The settings that all components of Redis share (components-contrib: common/component/redis/settings.go). */
export function addressOf(properties: Properties): RedisAddress {
  const given = properties.text('redisHost')
  if (given === '' && properties.text('redisPort') === '') properties.fault('redisHost', 'redisHost is missing')
  const type = properties.text('redisType') || 'node'
  if (type !== 'node') properties.fault('redisType', `redisType: "${type}" is not supported here, only node`)
  if (properties.boolean('failover')) properties.fault('failover', 'failover (Redis Sentinel) is not supported here')
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(given) ?? []
  if (given !== '' && host === '') properties.fault('redisHost', `"${given}" is no host and port`)
  const [username, password] = [properties.text('redisUsername'), properties.text('redisPassword')]
  const readTimeoutMs = properties.durationMs('readTimeout', 0)
  return {
    host: host.replace(/^\[|\]$/g, '') || 'localhost',
    port: port === '' ? properties.integer('redisPort', DEFAULT_PORT) : Number(port),
    database: properties.integer('redisDB', 0),
    connectTimeoutMs: properties.durationMs('dialTimeout', 5000),
    ...(readTimeoutMs > 0 && {readTimeoutMs}),
    ...(username !== '' && {username}),
    ...(password !== '' && {password}),
    ...(properties.boolean('enableTLS') && {
      tls: {cert: properties.text('clientCert'), key: properties.text('clientKey')}
    })
  }
}
