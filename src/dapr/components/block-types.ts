import type {Block} from '../../model/dapr/api/api.ts'
import {
  isBlock,
  splitType,
  ENCRYPTION_KEYS,
  MEMORY_CAPABILITIES,
  STATE_CAPABILITIES
} from '../../files/resources/component-types.ts'
import type {Component, ComponentType, TypesOf} from './component.ts'
import {CONVERSATION_TYPES} from './conversation/types.ts'
import type {SecretStore} from './secret-store.ts'
import type {StateStore} from './state-store.ts'
import {POSTGRESQL_PROPERTIES, RETRIED_PROPERTIES, REDIS_PROPERTIES, KAFKA_PROPERTIES} from './server-properties.ts'
import type {ConfigurationStore} from './configuration-store.ts'
import type {LockStore} from './lock-store.ts'
import type {CryptoProvider} from './crypto-provider.ts'
import type {PubSub} from './pubsub.ts'
import type {Binding} from './binding.ts'

const SECRET_TYPES: TypesOf<SecretStore> = {
  'local.env': {
    properties: ['prefix'],
    capabilities: [],
    load: async () => (await import('./secrets/local-env.ts')).open
  },
  'local.file': {
    properties: ['secretsFile', 'nestedSeparator', 'multiValued'],
    capabilities: [],
    load: async () => (await import('./secrets/local-file.ts')).open,
    usesFolder: true
  }
}

/** The properties that all state stores have. */
const STORE_PROPERTIES = [
  'actorStateStore',
  'keyPrefix',
  'outboxDiscardWhenMissingState',
  'outboxPublishPubsub',
  'outboxPublishTopic',
  'outboxPubsub',
  ...ENCRYPTION_KEYS
]

const STATE_POSTGRESQL: ComponentType<StateStore> = {
  properties: [
    ...POSTGRESQL_PROPERTIES,
    ...STORE_PROPERTIES,
    'cleanupInterval',
    'cleanupIntervalInSeconds',
    'metadataTableName',
    'tableName',
    'tablePrefix'
  ],
  capabilities: STATE_CAPABILITIES,
  load: async () => (await import('./state/postgresql.ts')).open,
  versions: ['v2'],
  hasClient: true
}

export const STATE_TYPES: TypesOf<StateStore> = {
  'in-memory': {
    properties: STORE_PROPERTIES,
    capabilities: MEMORY_CAPABILITIES,
    load: async () => (await import('./state/in-memory.ts')).open,
    livesOn: true,
    hasNoSettings: true
  },
  postgres: STATE_POSTGRESQL,
  postgresql: STATE_POSTGRESQL,
  redis: {
    properties: [...RETRIED_PROPERTIES, ...STORE_PROPERTIES, 'queryIndexes', 'ttlInSeconds'],
    capabilities: STATE_CAPABILITIES,
    load: async () => (await import('./state/redis.ts')).open,
    hasClient: true
  },
  sqlite: {
    properties: [
      ...STORE_PROPERTIES,
      ...'busyTimeout cleanupInterval cleanupIntervalInSeconds connectionString disableWAL metadataTableName tableName timeout timeoutInSeconds url'.split(
        ' '
      )
    ],
    capabilities: STATE_CAPABILITIES,
    load: async () => (await import('./state/sqlite.ts')).open,
    usesFolder: true,
    versions: ['v2']
  }
}

const CONFIGURATION_POSTGRESQL: ComponentType<ConfigurationStore> = {
  properties: [...POSTGRESQL_PROPERTIES, 'notifyChannel', 'pgNotifyChannel', 'table'],
  capabilities: [],
  load: async () => (await import('./configuration/postgresql.ts')).open,
  hasClient: true
}

const CONFIGURATION_TYPES: TypesOf<ConfigurationStore> = {
  postgres: CONFIGURATION_POSTGRESQL,
  postgresql: CONFIGURATION_POSTGRESQL,
  redis: {
    properties: REDIS_PROPERTIES,
    capabilities: [],
    load: async () => (await import('./configuration/redis.ts')).open,
    hasClient: true
  }
}

const LOCK_TYPES: TypesOf<LockStore> = {
  redis: {
    properties: [...RETRIED_PROPERTIES, 'keyPrefix'],
    capabilities: [],
    load: async () => (await import('./lock/redis.ts')).open,
    hasClient: true
  }
}

const CRYPTO_TYPES: TypesOf<CryptoProvider> = {
  'dapr.jwks': {
    properties: ['jwks', 'minRefreshInterval', 'requestTimeout'],
    capabilities: [],
    load: async () => (await import('./crypto/jwks.ts')).open,
    usesFolder: true
  },
  'dapr.localstorage': {
    properties: ['path'],
    capabilities: [],
    load: async () => (await import('./crypto/local-storage.ts')).open,
    usesFolder: true
  }
}

/** Common properties of all pub/sub components (Dapr: pkg/scopes). */
const PUBSUB_PROPERTIES = ['allowedTopics', 'protectedTopics', 'publishingScopes', 'subscriptionScopes', 'consumerID']

const RABBITMQ_PROPERTIES =
  `autoAck caCert clientCert clientKey clientName concurrency concurrencyMode connectionString deletedWhenUnused
  deliveryMode durable enableDeadLetter exchangeKind heartBeat host hostname maxLen maxLenBytes password
  prefetchCount protocol publishMessagePropertiesToMetadata publisherConfirm reconnectWaitSeconds requeueInFailure
  saslExternal ttl ttlInSeconds username`.split(/\s+/)

const PUBSUB_TYPES: TypesOf<PubSub> = {
  'in-memory': {
    properties: PUBSUB_PROPERTIES,
    capabilities: [],
    load: async () => (await import('./pubsub/in-memory.ts')).open,
    isPrivate: true,
    hasNoSettings: true
  },
  kafka: {
    properties: [...KAFKA_PROPERTIES, ...PUBSUB_PROPERTIES],
    capabilities: ['BULK_PUBSUB'],
    load: async () => (await import('./pubsub/kafka.ts')).open,
    hasClient: true
  },
  rabbitmq: {
    properties: [...PUBSUB_PROPERTIES, ...RABBITMQ_PROPERTIES],
    capabilities: ['MESSAGE_TTL'],
    load: async () => (await import('./pubsub/rabbitmq.ts')).open,
    hasClient: true
  },
  redis: {
    properties: [...REDIS_PROPERTIES, ...PUBSUB_PROPERTIES, 'queueDepth', 'concurrency', 'maxLenApprox', 'streamTTL'],
    capabilities: [],
    load: async () => (await import('./pubsub/redis.ts')).open,
    hasClient: true
  }
}

/** Common properties of all bindings (Dapr: pkg/runtime/processor/binding). */
const BINDING_PROPERTIES = ['direction', 'route']

const INPUT = 'INPUT_BINDING'
const OUTPUT = 'OUTPUT_BINDING'

const BINDING_POSTGRESQL: ComponentType<Binding> = {
  properties: [...POSTGRESQL_PROPERTIES, ...BINDING_PROPERTIES],
  capabilities: [OUTPUT],
  load: async () => (await import('./bindings/postgresql.ts')).open,
  // an app may close it, for itself alone
  isPrivate: true,
  hasClient: true
}

const BINDING_TYPES: TypesOf<Binding> = {
  cron: {
    properties: [...BINDING_PROPERTIES, 'schedule'],
    capabilities: [INPUT],
    load: async () => (await import('./bindings/cron.ts')).open
  },
  http: {
    properties: [
      ...BINDING_PROPERTIES,
      'url',
      'errorIfNot2XX',
      'maxResponseBodySize',
      'MTLSClientCert',
      'MTLSClientKey',
      'MTLSRenegotiation',
      'MTLSRootCA',
      'responseTimeout',
      'securityToken',
      'securityTokenHeader'
    ],
    capabilities: [OUTPUT],
    load: async () => (await import('./bindings/http.ts')).open,
    usesFolder: true
  },
  kafka: {
    properties: [...KAFKA_PROPERTIES, ...BINDING_PROPERTIES, 'publishTopic', 'topics'],
    capabilities: [INPUT, OUTPUT],
    load: async () => (await import('./bindings/kafka.ts')).open,
    hasClient: true
  },
  localstorage: {
    properties: [...BINDING_PROPERTIES, 'rootPath'],
    capabilities: [OUTPUT],
    load: async () => (await import('./bindings/local-storage.ts')).open,
    usesFolder: true
  },
  postgres: BINDING_POSTGRESQL,
  postgresql: BINDING_POSTGRESQL,
  redis: {
    properties: [...REDIS_PROPERTIES, ...BINDING_PROPERTIES],
    capabilities: [OUTPUT],
    load: async () => (await import('./bindings/redis.ts')).open,
    hasClient: true
  }
}

const TYPES = {
  secretstores: SECRET_TYPES,
  state: STATE_TYPES,
  configuration: CONFIGURATION_TYPES,
  lock: LOCK_TYPES,
  crypto: CRYPTO_TYPES,
  conversation: CONVERSATION_TYPES,
  pubsub: PUBSUB_TYPES,
  bindings: BINDING_TYPES
} as const satisfies {readonly [B in Block]: TypesOf<Component>}

/** The interface of the components of each block. */
export type BlockTypes = {readonly [B in Block]: (typeof TYPES)[B] extends TypesOf<infer T> ? T : never}

export type BlockComponent = BlockTypes[Block]

/** Returns a type by its name (`state.redis`); undefined: it is not built in. */
export function componentType(type: string): ComponentType | undefined {
  const [category, kind] = splitType(type)
  return isBlock(category) && Object.hasOwn(TYPES[category], kind) ? TYPES[category][kind] : undefined
}
