/*
 * The messages of pub/sub, by their field numbers (dapr/proto/runtime/v1: pubsub.proto, appcallback.proto).
 */

export const PUBLISH_EVENT = {
  pubsubName: [1, 'string'],
  topic: [2, 'string'],
  data: [3, 'bytes'],
  contentType: [4, 'string'],
  metadata: [5, 'map']
} as const

/** BulkPublishRequest */
export const BULK_PUBLISH = {
  pubsubName: [1, 'string'],
  topic: [2, 'string'],
  entries: [
    3,
    {
      list: {
        entryId: [1, 'string'],
        event: [2, 'bytes'],
        contentType: [3, 'string'],
        metadata: [4, 'map']
      }
    }
  ],
  metadata: [4, 'map']
} as const

/** BulkPublishResponse */
export const BULK_PUBLISHED = {failedEntries: [1, {list: {entryId: [1, 'string'], error: [2, 'string']}}]} as const

/** TopicEventRequest; `extensions` is a Struct. */
export const TOPIC_EVENT = {
  id: [1, 'string'],
  source: [2, 'string'],
  type: [3, 'string'],
  specVersion: [4, 'string'],
  dataContentType: [5, 'string'],
  topic: [6, 'string'],
  data: [7, 'bytes'],
  pubsubName: [8, 'string'],
  path: [9, 'string'],
  extensions: [10, 'bytes']
} as const

/** TopicEventResponse */
export const TOPIC_EVENT_ANSWER = {status: [1, 'int32']} as const

/** TopicEventBulkRequest, whose entries have bytes or a CloudEvent. */
export const TOPIC_EVENTS = {
  id: [1, 'string'],
  entries: [
    2,
    {
      list: {
        entryId: [1, 'string'],
        bytes: [2, 'bytes'],
        cloudEvent: [
          3,
          {
            message: {
              id: [1, 'string'],
              source: [2, 'string'],
              type: [3, 'string'],
              specVersion: [4, 'string'],
              dataContentType: [5, 'string'],
              data: [6, 'bytes'],
              extensions: [7, 'bytes']
            }
          }
        ],
        contentType: [4, 'string'],
        metadata: [5, 'map']
      }
    }
  ],
  metadata: [3, 'map'],
  topic: [4, 'string'],
  pubsubName: [5, 'string'],
  type: [6, 'string'],
  path: [7, 'string']
} as const

/** TopicEventBulkResponse */
export const TOPIC_EVENTS_ANSWER = {statuses: [1, {list: {entryId: [1, 'string'], status: [2, 'int32']}}]} as const

/** ListTopicSubscriptionsResponse */
export const TOPIC_SUBSCRIPTIONS = {
  subscriptions: [
    1,
    {
      list: {
        pubsubName: [1, 'string'],
        topic: [2, 'string'],
        metadata: [3, 'map'],
        routes: [5, {message: {rules: [1, {list: {match: [1, 'string'], path: [2, 'string']}}], usual: [2, 'string']}}],
        deadLetterTopic: [6, 'string'],
        bulk: [7, {message: {enabled: [1, 'bool'], maxMessagesCount: [2, 'int32'], maxAwaitDurationMs: [3, 'int32']}}]
      }
    }
  ]
} as const

/** SubscribeTopicEventsRequestAlpha1 */
export const STREAM_REQUEST = {
  initial: [
    1,
    {
      message: {
        pubsubName: [1, 'string'],
        topic: [2, 'string'],
        metadata: [3, 'map'],
        deadLetterTopic: [4, 'string']
      }
    }
  ],
  processed: [2, {message: {id: [1, 'string'], status: [2, {message: TOPIC_EVENT_ANSWER}]}}]
} as const

/** SubscribeTopicEventsResponseAlpha1 */
export const STREAM_ANSWER = {initial: [1, {message: {}}], event: [2, {message: TOPIC_EVENT}]} as const
