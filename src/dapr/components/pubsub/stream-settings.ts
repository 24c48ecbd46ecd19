/** The settings of `pubsub.redis` (components-contrib: common/component/redis/settings.go); times in ms, 0 = off. */
export interface StreamSettings {
  /** The group and consumer of all subscriptions; '' = the app's own. */
  readonly consumerId: string
  /** How often to look for messages that were not acknowledged. */
  readonly redeliverIntervalMs: number
  /** The time after which a message that was not acknowledged is delivered again. */
  readonly processingTimeoutMs: number
  /** Number of messages to read ahead. */
  readonly queueDepth: number
  /** Number of messages handled at the same time. */
  readonly concurrency: number
  /** The approximate number of entries to keep in a stream; 0: all. */
  readonly maxLength: number
  /** How long one read waits for messages. */
  readonly readTimeoutMs: number
}
