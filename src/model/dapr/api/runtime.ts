import type {BlockApi} from './block-api.ts'

/** Own API of a sidecar (Dapr: pkg/api/http: healthz.go, metadata.go, shutdown.go). */
export const RUNTIME = {
  errors: 'HEALTH health',
  operations: {
    Healthz: {http: 'GET v1.0/healthz'},
    HealthzOutbound: {http: 'GET v1.0/healthz/outbound'},
    GetMetadata: {http: 'GET v1.0/metadata', grpc: 'v1/metadata'},
    SetMetadata: {http: 'PUT v1.0/metadata/*', grpc: 'v1/metadata', log: 'PutMetadata'},
    Shutdown: {http: 'POST v1.0/shutdown', grpc: 'v1/shutdown'}
  }
} as const satisfies BlockApi
