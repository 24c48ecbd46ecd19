import {messageOf} from '../../../model/errors.ts'
import type {RedisConnection, Sentinels} from '#redis'
import type {OpenOptions} from '../component.ts'
import {filled, type Properties} from '../properties.ts'
import type {RedisTarget} from './redis-servers.ts'

const DEFAULT_PORT = 6379
/** Default time to connect, in ms, which Go's client also uses for `dialTimeout: 0`. */
const DIAL_MS = 5000
/** Values of `redisType`. `sentinel`, which Dapr documents for locks, means `node`: only `failover` selects sentinels. */
const TYPES = ['node', 'cluster', 'sentinel']

/** Connects a component to its Redis. `prefix`: begins the error message, as Dapr's. */
export async function openRedis(prefix: string, {properties, redis}: OpenOptions): Promise<RedisConnection> {
  const address = redisTarget(properties)
  const lead = `${prefix} at ${address.host}:${address.port}`
  return redis.connect(address).catch((error: unknown) => properties.fault('redisHost', `${lead}: ${messageOf(error)}`))
}

/** Reads the settings that all components of Redis have (components-contrib: common/component/redis/settings.go). */
export function redisTarget(properties: Properties): RedisTarget {
  const text = (name: string): string => properties.text(name)
  if (text('redisHost') === '' && text('redisPort') === '') properties.fault('redisHost', 'redisHost is missing')
  const type = text('redisType') || 'node'
  if (!TYPES.includes(type)) properties.fault('redisType', `redisType: "${type}" is none of ${TYPES.join(', ')}`)
  const isSentinel = properties.boolean('failover')
  const defaultPort = properties.integer('redisPort', DEFAULT_PORT)
  const hosts = type === 'cluster' || isSentinel ? text('redisHost').split(',') : [text('redisHost')]
  const [first, ...more] = hosts.map(given => hostAndPort(given.trim(), defaultPort, properties))
  const readTimeoutMs = properties.durationMs('readTimeout', 0)
  const [cert, key] = [text('clientCert'), text('clientKey')]
  return {
    ...(first ?? {host: 'localhost', port: defaultPort}),
    ...(more.length > 0 && {more}),
    ...(type === 'cluster' ? {isCluster: true} : {database: properties.integer('redisDB', 0)}),
    connectTimeoutMs: properties.durationMs('dialTimeout', 0) || DIAL_MS,
    ...(readTimeoutMs !== 0 && {readTimeoutMs: readTimeoutMs < 0 ? Infinity : readTimeoutMs}),
    ...filled({username: text('redisUsername'), password: text('redisPassword')}),
    ...(isSentinel && {sentinels: sentinelsOf(properties)}),
    ...(properties.boolean('enableTLS') && {
      tls: {
        ...(cert !== '' && key !== '' && {cert, key}),
        ...(properties.boolean('insecureSkipTLSVerify') && {rejectUnauthorized: false})
      }
    })
  }
}

function sentinelsOf(properties: Properties): Sentinels {
  const master = properties.text('sentinelMasterName')
  if (master === '') properties.fault('failover', 'failover needs sentinelMasterName')
  const [username, password] = [properties.text('sentinelUsername'), properties.text('sentinelPassword')]
  return {master, ...filled({username, password})}
}

function hostAndPort(
  given: string,
  defaultPort: number,
  properties: Properties
): {readonly host: string; readonly port: number} {
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(given) ?? []
  if (given !== '' && host === '') properties.fault('redisHost', `"${given}" is no host and port`)
  return {host: host.replace(/^\[|\]$/g, '') || 'localhost', port: port === '' ? defaultPort : Number(port)}
}
