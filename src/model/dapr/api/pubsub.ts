import type {BlockApi} from './block-api.ts'

/** Publish and subscribe (Dapr: pkg/api/http/http.go, constructPubSubEndpoints). */
export const PUBSUB = {
  components: {one: 'message bus', purpose: 'publish and subscribe', policies: 'Pubsub'},
  errors: 'PUBSUB pubsub',
  operations: {
    BulkPublishEvent: {
      http: 'POST PUT v1.0-alpha1/publish/bulk/*/** v1.0/publish/bulk/*/**',
      grpc: 'v1alpha1/publish v1/publish'
    },
    PublishEvent: {http: 'POST PUT v1.0/publish/*/**', grpc: 'v1/publish'},
    SubscribeTopicEvents: {grpc: 'v1alpha1/subscribe', isStream: true}
  }
} as const satisfies BlockApi
