import type {TypesOf} from '../component.ts'
import {KAFKA_PROPERTIES, REDIS_PROPERTIES} from '../server-properties.ts'
import type {PubSub} from '../pubsub.ts'

/** Common properties of all pub/sub components (Dapr: pkg/scopes). */
const PUBSUB_PROPERTIES = ['allowedTopics', 'protectedTopics', 'publishingScopes', 'subscriptionScopes', 'consumerID']

const RABBITMQ_PROPERTIES =
  `autoAck caCert clientCert clientKey clientName concurrency concurrencyMode connectionString deletedWhenUnused
  deliveryMode durable enableDeadLetter exchangeKind heartBeat host hostname maxLen maxLenBytes password
  prefetchCount protocol publishMessagePropertiesToMetadata publisherConfirm reconnectWaitSeconds requeueInFailure
  saslExternal ttl ttlInSeconds username`.split(/\s+/)

export const PUBSUB_TYPES: TypesOf<PubSub> = {
  'in-memory': {
    properties: PUBSUB_PROPERTIES,
    capabilities: [],
    load: async () => (await import('./in-memory.ts')).open,
    isPrivate: true,
    hasNoSettings: true
  },
  kafka: {
    properties: [...KAFKA_PROPERTIES, ...PUBSUB_PROPERTIES],
    capabilities: ['BULK_PUBSUB'],
    load: async () => (await import('./kafka.ts')).open,
    hasClient: true
  },
  rabbitmq: {
    properties: [...PUBSUB_PROPERTIES, ...RABBITMQ_PROPERTIES],
    capabilities: ['MESSAGE_TTL'],
    load: async () => (await import('./rabbitmq.ts')).open,
    hasClient: true
  },
  redis: {
    properties: [...REDIS_PROPERTIES, ...PUBSUB_PROPERTIES, 'queueDepth', 'concurrency', 'maxLenApprox', 'streamTTL'],
    capabilities: [],
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  }
}
