import type {BlockApi} from './block-api.ts'

const GRPC = 'v1alpha1/configuration v1/configuration'

/** Configuration (Dapr: pkg/api/http/http.go, constructConfigurationEndpoints). */
export const CONFIGURATION = {
  components: {
    one: 'configuration store',
    purpose: 'configuration',
    policies: 'Configuration',
    counted: 'configuration'
  },
  errors: 'CONFIGURATION configuration',
  operations: {
    GetConfiguration: {http: 'GET v1.0-alpha1/configuration/* v1.0/configuration/*', grpc: GRPC},
    SubscribeConfiguration: {
      http: 'GET v1.0-alpha1/configuration/*/subscribe v1.0/configuration/*/subscribe',
      grpc: GRPC,
      isStream: true
    },
    UnsubscribeConfiguration: {
      http: 'GET v1.0-alpha1/configuration/*/*/unsubscribe v1.0/configuration/*/*/unsubscribe',
      grpc: GRPC
    }
  }
} as const satisfies BlockApi
