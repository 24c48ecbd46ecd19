import {MIDDLEWARE_TYPES} from './middleware-types.ts'

/** The categories of Components whose calls are served here. */
export type Block = 'secretstores' | 'state' | 'configuration' | 'lock' | 'pubsub' | 'bindings'

/** A type of Component as files and metadata show it. */
export interface ComponentType {
  /** What it can do unless its properties say otherwise, in Dapr's words. */
  readonly capabilities: readonly string[]
  /** The names of its properties, for hints in mistakes; they are found in any capitals. */
  readonly properties: readonly string[]
}

/** What all components of Redis can be told (components-contrib: common/component/redis/settings.go). */
const REDIS = [
  'redisHost',
  'redisPort',
  'redisUsername',
  'redisPassword',
  'redisDB',
  'redisType',
  'redisMaxRetries',
  'redisMinRetryInterval',
  'redisMaxRetryInterval',
  'sentinelUsername',
  'sentinelPassword',
  'sentinelMasterName',
  'failover',
  'enableTLS',
  'insecureSkipTLSVerify',
  'clientCert',
  'clientKey',
  'dialTimeout',
  'readTimeout',
  'writeTimeout',
  'poolSize',
  'poolTimeout',
  'maxConnAge',
  'minIdleConns',
  'idleCheckFrequency',
  'idleTimeout',
  'redeliverInterval',
  'processingTimeout'
]

/** What all components of PostgreSQL can be told (components-contrib: common/authentication/postgresql). */
const POSTGRES = [
  'connectionString',
  'url',
  'host',
  'hostaddr',
  'port',
  'database',
  'user',
  'password',
  'sslRootCert',
  'connectionMaxIdleTime',
  'maxConns',
  'queryExecMode',
  'timeout',
  'timeoutInSeconds'
]

/** What all components of Kafka can be told (components-contrib: common/component/kafka/metadata.go). */
const KAFKA = [
  'authRequired',
  'authType',
  'backOffDuration',
  'backOffMaxRetries',
  'backOffPolicy',
  'brokers',
  'caCert',
  'channelBufferSize',
  'clientCert',
  'clientConnectionKeepAliveInterval',
  'clientConnectionTopicMetadataRefreshInterval',
  'clientID',
  'clientKey',
  'compression',
  'consumeRetryEnabled',
  'consumeRetryInterval',
  'consumerFetchDefault',
  'consumerFetchMin',
  'consumerGroup',
  'consumerGroupRebalanceStrategy',
  'consumerID',
  'dialTimeout',
  'disableTls',
  'escapeHeaders',
  'excludeHeaderMetaRegex',
  'heartbeatInterval',
  'initialOffset',
  'maxMessageBytes',
  'metadataTimeout',
  'producerRequiredAcks',
  'producerRetryMax',
  'readTimeout',
  'saslMechanism',
  'saslPassword',
  'saslUsername',
  'schemaRegistryURL',
  'sessionTimeout',
  'skipVerify',
  'version',
  'writeTimeout'
]

const STATE = ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE', 'ACTOR']

/** What every pub/sub component has besides its own properties (Dapr: pkg/scopes). */
const PUBSUB = ['allowedTopics', 'protectedTopics', 'publishingScopes', 'subscriptionScopes', 'consumerID']

/** What every binding has besides its own properties (Dapr: pkg/runtime/processor/binding). */
const BINDING = ['direction', 'route']
const INPUT = ['INPUT_BINDING']
const OUTPUT = ['OUTPUT_BINDING']

const POSTGRES_STATE = {
  capabilities: STATE,
  properties: [
    ...POSTGRES,
    'actorStateStore',
    'cleanupInterval',
    'cleanupIntervalInSeconds',
    'keyPrefix',
    'metadataTableName',
    'tableName',
    'tablePrefix'
  ]
}

const POSTGRES_CONFIGURATION = {
  capabilities: [],
  properties: [...POSTGRES, 'connMaxIdleTime', 'notifyChannel', 'pgNotifyChannel', 'table']
}

const POSTGRES_BINDING = {capabilities: OUTPUT, properties: [...POSTGRES, ...BINDING]}

/** The types that are built, by category and the part behind it: `components/component-loaders.ts` opens them. */
export const COMPONENT_TYPES: {readonly [B in Block]: Readonly<Record<string, ComponentType>>} = {
  secretstores: {
    'local.env': {capabilities: [], properties: ['prefix']},
    'local.file': {capabilities: [], properties: ['secretsFile', 'nestedSeparator', 'multiValued']}
  },
  state: {
    'in-memory': {
      capabilities: ['ETAG', 'TRANSACTIONAL', 'TTL', 'DELETE_WITH_PREFIX', 'KEYS_LIKE', 'ACTOR'],
      properties: ['actorStateStore', 'keyPrefix']
    },
    postgres: POSTGRES_STATE,
    postgresql: POSTGRES_STATE,
    redis: {
      capabilities: STATE,
      properties: [...REDIS, 'actorStateStore', 'keyPrefix', 'queryIndexes', 'ttlInSeconds']
    },
    sqlite: {
      capabilities: STATE,
      properties: [
        'actorStateStore',
        'busyTimeout',
        'cleanupInterval',
        'connectionString',
        'keyPrefix',
        'metadataTableName',
        'tableName',
        'timeout'
      ]
    }
  },
  configuration: {
    postgres: POSTGRES_CONFIGURATION,
    postgresql: POSTGRES_CONFIGURATION,
    redis: {capabilities: [], properties: REDIS}
  },
  lock: {redis: {capabilities: [], properties: [...REDIS, 'keyPrefix', 'maxRetries', 'maxRetryBackoff']}},
  pubsub: {
    'in-memory': {capabilities: [], properties: PUBSUB},
    kafka: {capabilities: ['BULK_PUBSUB'], properties: [...KAFKA, ...PUBSUB]},
    rabbitmq: {
      capabilities: ['MESSAGE_TTL'],
      properties: [
        ...PUBSUB,
        'autoAck',
        'caCert',
        'clientCert',
        'clientKey',
        'clientName',
        'concurrency',
        'concurrencyMode',
        'connectionString',
        'deletedWhenUnused',
        'deliveryMode',
        'durable',
        'enableDeadLetter',
        'exchangeKind',
        'heartBeat',
        'host',
        'hostname',
        'maxLen',
        'maxLenBytes',
        'password',
        'prefetchCount',
        'protocol',
        'publishMessagePropertiesToMetadata',
        'publisherConfirm',
        'reconnectWaitSeconds',
        'requeueInFailure',
        'saslExternal',
        'ttlInSeconds',
        'username'
      ]
    },
    redis: {capabilities: [], properties: [...REDIS, ...PUBSUB, 'queueDepth', 'concurrency', 'maxLenApprox']}
  },
  bindings: {
    cron: {capabilities: INPUT, properties: [...BINDING, 'schedule']},
    http: {
      capabilities: OUTPUT,
      properties: [
        ...BINDING,
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
      ]
    },
    kafka: {capabilities: [...INPUT, ...OUTPUT], properties: [...KAFKA, ...BINDING, 'publishTopic', 'topics']},
    localstorage: {capabilities: OUTPUT, properties: [...BINDING, 'rootPath']},
    postgres: POSTGRES_BINDING,
    postgresql: POSTGRES_BINDING,
    redis: {capabilities: OUTPUT, properties: [...REDIS, ...BINDING]}
  }
}

/** The two parts of a type: `state` and `redis` of `state.redis`. */
export const splitType = (type: string): readonly [category: string, kind: string] => {
  const point = type.indexOf('.')
  return point < 0 ? [type, ''] : [type.slice(0, point), type.slice(point + 1)]
}

/** Whether a category is one whose calls are served here. */
export const isBlock = (category: string): category is Block => Object.hasOwn(COMPONENT_TYPES, category)

/** The type of a Component whose calls are served here; undefined: it is another one, or not built. */
export const componentTypeOf = (type: string): ComponentType | undefined => {
  const [category, kind] = splitType(type)
  if (!isBlock(category) || !Object.hasOwn(COMPONENT_TYPES[category], kind)) return undefined
  return COMPONENT_TYPES[category][kind]
}

/** Whether a type is built. */
export const isComponentType = (type: string): boolean =>
  componentTypeOf(type) !== undefined || MIDDLEWARE_TYPES.some(each => `middleware.http.${each}` === type)
