/** The properties that all components of Kafka have (components-contrib: common/component/kafka/metadata.go). */
export const KAFKA_PROPERTIES =
  `authRequired authType backOffDuration backOffMaxRetries backOffPolicy brokers caCert channelBufferSize
  clientCert clientConnectionKeepAliveInterval clientConnectionTopicMetadataRefreshInterval clientID clientKey
  compression consumeRetryEnabled consumeRetryInterval consumerFetchDefault consumerFetchMin consumerGroup
  consumerGroupRebalanceStrategy consumerID dialTimeout disableTls escapeHeaders excludeHeaderMetaRegex
  heartbeatInterval initialOffset maxMessageBytes metadataTimeout producerRequiredAcks producerRetryMax
  readTimeout saslMechanism saslPassword saslUsername schemaRegistryURL sessionTimeout skipVerify version
  writeTimeout`.split(/\s+/)

/** The properties that all components of PostgreSQL have (components-contrib: common/authentication/postgresql). */
export const POSTGRESQL_PROPERTIES =
  `connectionString url host hostaddr port database user password sslRootCert connectionMaxIdleTime connMaxIdleTime
  maxConns queryExecMode timeout timeoutInSeconds useAWSIAM useAzureAD`.split(/\s+/)

/** The properties that all components of Redis have (components-contrib: common/component/redis/settings.go). */
export const REDIS_PROPERTIES =
  `redisHost redisPort redisUsername redisPassword redisDB redisType redisMaxRetries redisMinRetryInterval
  redisMaxRetryInterval sentinelUsername sentinelPassword sentinelMasterName failover enableTLS
  insecureSkipTLSVerify clientCert clientKey dialTimeout readTimeout writeTimeout poolSize poolTimeout
  maxConnAge minIdleConns idleCheckFrequency idleTimeout redeliverInterval processingTimeout`.split(/\s+/)

/** Properties of state stores and locks, with the older names that Dapr still reads there. */
export const RETRIED_PROPERTIES = [...REDIS_PROPERTIES, 'maxRetries', 'maxRetryBackoff']
