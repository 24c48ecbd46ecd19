import type {OpenComponent} from '../component.ts'
import type {PubSub} from '../pubsub.ts'
import {openRedis} from '../redis/open-redis.ts'
import {RedisStreams} from './redis-streams.ts'

const READ_TIMEOUT_MS = 3000

/** `pubsub.redis`: topics are streams (components-contrib: pubsub/redis). */
export const open: OpenComponent<PubSub> = async options => {
  const {properties} = options
  const readTimeoutMs = properties.durationMs('readTimeout', READ_TIMEOUT_MS)
  const settings = {
    consumerId: properties.text('consumerID'),
    redeliverIntervalMs: properties.durationMs('redeliverInterval', 15_000),
    processingTimeoutMs: properties.durationMs('processingTimeout', 60_000),
    queueDepth: properties.integer('queueDepth', 100),
    concurrency: properties.integer('concurrency', 10),
    maxLength: properties.integer('maxLenApprox', 0),
    readTimeoutMs: readTimeoutMs > 0 ? readTimeoutMs : READ_TIMEOUT_MS
  }
  return new RedisStreams(await openRedis('redis streams: error connecting to redis', options), settings)
}
