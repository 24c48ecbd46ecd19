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
