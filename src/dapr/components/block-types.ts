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
import type {ConfigurationStore} from './configuration-store.ts'
import type {LockStore} from './lock-store.ts'
import type {CryptoProvider} from './crypto-provider.ts'
import type {PubSub} from './pubsub.ts'
import type {Binding} from './binding.ts'

/** Builds a component type. `properties`: names, separated by spaces. */
const typeOf = <T extends Component>(
  properties: string,
  load: ComponentType<T>['load'],
  more: Partial<ComponentType<T>> = {}
): ComponentType<T> => ({properties: properties.split(/\s+/), capabilities: [], load, ...more})

/** The properties that all components of Kafka have (components-contrib: common/component/kafka/metadata.go). */
const KAFKA = `authRequired authType backOffDuration backOffMaxRetries backOffPolicy brokers caCert channelBufferSize
  clientCert clientConnectionKeepAliveInterval clientConnectionTopicMetadataRefreshInterval clientID clientKey
  compression consumeRetryEnabled consumeRetryInterval consumerFetchDefault consumerFetchMin consumerGroup
  consumerGroupRebalanceStrategy consumerID dialTimeout disableTls escapeHeaders excludeHeaderMetaRegex
  heartbeatInterval initialOffset maxMessageBytes metadataTimeout producerRequiredAcks producerRetryMax
  readTimeout saslMechanism saslPassword saslUsername schemaRegistryURL sessionTimeout skipVerify version
  writeTimeout`

/** The properties that all components of PostgreSQL have (components-contrib: common/authentication/postgresql). */
const POSTGRESQL = `connectionString url host hostaddr port database user password sslRootCert connectionMaxIdleTime connMaxIdleTime
  maxConns queryExecMode timeout timeoutInSeconds useAWSIAM useAzureAD`

/** The properties that all components of Redis have (components-contrib: common/component/redis/settings.go). */
const REDIS = `redisHost redisPort redisUsername redisPassword redisDB redisType redisMaxRetries redisMinRetryInterval
  redisMaxRetryInterval sentinelUsername sentinelPassword sentinelMasterName failover enableTLS
  insecureSkipTLSVerify clientCert clientKey dialTimeout readTimeout writeTimeout poolSize poolTimeout
  maxConnAge minIdleConns idleCheckFrequency idleTimeout redeliverInterval processingTimeout`

/** The properties of Redis for state stores and locks, with old names that Dapr still reads there. */
const RETRIED = `${REDIS} maxRetries maxRetryBackoff`

const SECRET_TYPES: TypesOf<SecretStore> = {
  'local.env': typeOf('prefix', async () => (await import('./secrets/local-env.ts')).open),
  'local.file': typeOf(
    'secretsFile nestedSeparator multiValued',
    async () => (await import('./secrets/local-file.ts')).open,
    {usesFolder: true}
  )
}

/** The properties that all state stores have. */
const STORE = `actorStateStore keyPrefix outboxDiscardWhenMissingState outboxPublishPubsub outboxPublishTopic outboxPubsub
  ${ENCRYPTION_KEYS.join(' ')}`

const STATE_POSTGRESQL: ComponentType<StateStore> = typeOf(
  `${POSTGRESQL} ${STORE} cleanupInterval cleanupIntervalInSeconds metadataTableName tableName tablePrefix`,
  async () => (await import('./state/postgresql.ts')).open,
  {capabilities: STATE_CAPABILITIES, versions: ['v2'], hasClient: true}
)

export const STATE_TYPES: TypesOf<StateStore> = {
  'in-memory': typeOf(STORE, async () => (await import('./state/in-memory.ts')).open, {
    capabilities: MEMORY_CAPABILITIES,
    livesOn: true,
    hasNoSettings: true
  }),
  postgres: STATE_POSTGRESQL,
  postgresql: STATE_POSTGRESQL,
  redis: typeOf(`${RETRIED} ${STORE} queryIndexes ttlInSeconds`, async () => (await import('./state/redis.ts')).open, {
    capabilities: STATE_CAPABILITIES,
    hasClient: true
  }),
  sqlite: typeOf(
    `${STORE} busyTimeout cleanupInterval cleanupIntervalInSeconds connectionString disableWAL metadataTableName tableName
    timeout timeoutInSeconds url`,
    async () => (await import('./state/sqlite.ts')).open,
    {capabilities: STATE_CAPABILITIES, usesFolder: true, versions: ['v2']}
  )
}

const CONFIGURATION_POSTGRESQL: ComponentType<ConfigurationStore> = typeOf(
  `${POSTGRESQL} notifyChannel pgNotifyChannel table`,
  async () => (await import('./configuration/postgresql.ts')).open,
  {hasClient: true}
)

const CONFIGURATION_TYPES: TypesOf<ConfigurationStore> = {
  postgres: CONFIGURATION_POSTGRESQL,
  postgresql: CONFIGURATION_POSTGRESQL,
  redis: typeOf(REDIS, async () => (await import('./configuration/redis.ts')).open, {hasClient: true})
}

const LOCK_TYPES: TypesOf<LockStore> = {
  redis: typeOf(`${RETRIED} keyPrefix`, async () => (await import('./lock/redis.ts')).open, {hasClient: true})
}

const CRYPTO_TYPES: TypesOf<CryptoProvider> = {
  'dapr.jwks': typeOf('jwks minRefreshInterval requestTimeout', async () => (await import('./crypto/jwks.ts')).open, {
    usesFolder: true
  }),
  'dapr.localstorage': typeOf('path', async () => (await import('./crypto/local-storage.ts')).open, {usesFolder: true})
}

/** The properties that all pub/sub components have (Dapr: pkg/scopes). */
const PUBSUB = 'allowedTopics protectedTopics publishingScopes subscriptionScopes consumerID'

const RABBITMQ = `autoAck caCert clientCert clientKey clientName concurrency concurrencyMode connectionString deletedWhenUnused
  deliveryMode durable enableDeadLetter exchangeKind heartBeat host hostname maxLen maxLenBytes password
  prefetchCount protocol publishMessagePropertiesToMetadata publisherConfirm reconnectWaitSeconds requeueInFailure
  saslExternal ttl ttlInSeconds username`

const PUBSUB_TYPES: TypesOf<PubSub> = {
  'in-memory': typeOf(PUBSUB, async () => (await import('./pubsub/in-memory.ts')).open, {
    isPrivate: true,
    hasNoSettings: true
  }),
  kafka: typeOf(`${KAFKA} ${PUBSUB}`, async () => (await import('./pubsub/kafka.ts')).open, {
    capabilities: ['BULK_PUBSUB'],
    hasClient: true
  }),
  rabbitmq: typeOf(`${PUBSUB} ${RABBITMQ}`, async () => (await import('./pubsub/rabbitmq.ts')).open, {
    capabilities: ['MESSAGE_TTL'],
    hasClient: true
  }),
  redis: typeOf(
    `${REDIS} ${PUBSUB} queueDepth concurrency maxLenApprox streamTTL`,
    async () => (await import('./pubsub/redis.ts')).open,
    {hasClient: true}
  )
}

/** The properties that all bindings have (Dapr: pkg/runtime/processor/binding). */
const BINDING = 'direction route'

const INPUT = 'INPUT_BINDING'
const OUTPUT = 'OUTPUT_BINDING'

const BINDING_POSTGRESQL: ComponentType<Binding> = typeOf(
  `${POSTGRESQL} ${BINDING}`,
  async () => (await import('./bindings/postgresql.ts')).open,
  {
    capabilities: [OUTPUT],
    isPrivate: true /* one app may close it (operation `close`) without the others */,
    hasClient: true
  }
)

const BINDING_TYPES: TypesOf<Binding> = {
  cron: typeOf(`${BINDING} schedule`, async () => (await import('./bindings/cron.ts')).open, {capabilities: [INPUT]}),
  http: typeOf(
    `${BINDING} url errorIfNot2XX maxResponseBodySize MTLSClientCert MTLSClientKey MTLSRenegotiation MTLSRootCA responseTimeout
    securityToken securityTokenHeader`,
    async () => (await import('./bindings/http.ts')).open,
    {capabilities: [OUTPUT], usesFolder: true}
  ),
  kafka: typeOf(`${KAFKA} ${BINDING} publishTopic topics`, async () => (await import('./bindings/kafka.ts')).open, {
    capabilities: [INPUT, OUTPUT],
    hasClient: true
  }),
  localstorage: typeOf(`${BINDING} rootPath`, async () => (await import('./bindings/local-storage.ts')).open, {
    capabilities: [OUTPUT],
    usesFolder: true
  }),
  postgres: BINDING_POSTGRESQL,
  postgresql: BINDING_POSTGRESQL,
  redis: typeOf(`${REDIS} ${BINDING}`, async () => (await import('./bindings/redis.ts')).open, {
    capabilities: [OUTPUT],
    hasClient: true
  })
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
