/** The properties that all components of Redis have (components-contrib: common/component/redis/settings.go). */
export const REDIS_PROPERTIES =
  `redisHost redisPort redisUsername redisPassword redisDB redisType redisMaxRetries redisMinRetryInterval
  redisMaxRetryInterval sentinelUsername sentinelPassword sentinelMasterName failover enableTLS
  insecureSkipTLSVerify clientCert clientKey dialTimeout readTimeout writeTimeout poolSize poolTimeout
  maxConnAge minIdleConns idleCheckFrequency idleTimeout redeliverInterval processingTimeout`.split(/\s+/)

/** Properties of state stores and locks, with the older names that Dapr still reads there. */
export const RETRIED_PROPERTIES = [...REDIS_PROPERTIES, 'maxRetries', 'maxRetryBackoff']
