/** The properties that all components of Kafka have (components-contrib: common/component/kafka/metadata.go). */
export const KAFKA_PROPERTIES =
  `authRequired authType backOffDuration backOffMaxRetries backOffPolicy brokers caCert channelBufferSize
  clientCert clientConnectionKeepAliveInterval clientConnectionTopicMetadataRefreshInterval clientID clientKey
  compression consumeRetryEnabled consumeRetryInterval consumerFetchDefault consumerFetchMin consumerGroup
  consumerGroupRebalanceStrategy consumerID dialTimeout disableTls escapeHeaders excludeHeaderMetaRegex
  heartbeatInterval initialOffset maxMessageBytes metadataTimeout producerRequiredAcks producerRetryMax
  readTimeout saslMechanism saslPassword saslUsername schemaRegistryURL sessionTimeout skipVerify version
  writeTimeout`.split(/\s+/)
