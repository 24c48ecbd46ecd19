import type {Block} from '../dapr/api/api.ts'
import {isBlock, splitType} from './component-types.ts'

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

/** What every pub/sub component has besides its own properties (Dapr: pkg/scopes). */
const PUBSUB = ['allowedTopics', 'protectedTopics', 'publishingScopes', 'subscriptionScopes', 'consumerID']

/** What every binding has besides its own properties (Dapr: pkg/runtime/processor/binding). */
const BINDING = ['direction', 'route']

const POSTGRES_STATE = [
  ...POSTGRES,
  'actorStateStore',
  'cleanupInterval',
  'cleanupIntervalInSeconds',
  'keyPrefix',
  'metadataTableName',
  'tableName',
  'tablePrefix'
]

const POSTGRES_CONFIGURATION = [...POSTGRES, 'connMaxIdleTime', 'notifyChannel', 'pgNotifyChannel', 'table']

const POSTGRES_BINDING = [...POSTGRES, ...BINDING]

/** By the types of `component-types.ts`. */
const PROPERTIES: {readonly [B in Block]: Readonly<Record<string, readonly string[]>>} = {
  secretstores: {
    'local.env': ['prefix'],
    'local.file': ['secretsFile', 'nestedSeparator', 'multiValued']
  },
  state: {
    'in-memory': ['actorStateStore', 'keyPrefix'],
    postgres: POSTGRES_STATE,
    postgresql: POSTGRES_STATE,
    redis: [...REDIS, 'actorStateStore', 'keyPrefix', 'queryIndexes', 'ttlInSeconds'],
    sqlite: [
      'actorStateStore',
      'busyTimeout',
      'cleanupInterval',
      'connectionString',
      'keyPrefix',
      'metadataTableName',
      'tableName',
      'timeout'
    ]
  },
  configuration: {
    postgres: POSTGRES_CONFIGURATION,
    postgresql: POSTGRES_CONFIGURATION,
    redis: REDIS
  },
  lock: {redis: [...REDIS, 'keyPrefix', 'maxRetries', 'maxRetryBackoff']},
  pubsub: {
    'in-memory': PUBSUB,
    kafka: [...KAFKA, ...PUBSUB],
    rabbitmq: [
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
    ],
    redis: [...REDIS, ...PUBSUB, 'queueDepth', 'concurrency', 'maxLenApprox']
  },
  bindings: {
    cron: [...BINDING, 'schedule'],
    http: [
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
    ],
    kafka: [...KAFKA, ...BINDING, 'publishTopic', 'topics'],
    localstorage: [...BINDING, 'rootPath'],
    postgres: POSTGRES_BINDING,
    postgresql: POSTGRES_BINDING,
    redis: [...REDIS, ...BINDING]
  }
}

/** The names of a type's properties, for hints in mistakes; undefined: the type is not built. They are found in any capitals. */
export function propertiesOf(type: string): readonly string[] | undefined {
  const [category, kind] = splitType(type)
  return isBlock(category) && Object.hasOwn(PROPERTIES[category], kind) ? PROPERTIES[category][kind] : undefined
}
