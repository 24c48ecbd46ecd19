import type {BlockApi} from './block-api.ts'

/** Secrets (Dapr: pkg/api/http/secrets.go). */
export const SECRETS = {
  components: {one: 'secret store', purpose: 'secrets', policies: 'Secretstore', counted: 'secret'},
  errors: 'SECRET|PERMISSION_DENIED secret',
  operations: {
    GetBulkSecret: {http: 'GET v1.0/secrets/*/bulk', grpc: 'v1/secrets'},
    GetSecret: {http: 'GET v1.0/secrets/*/*', grpc: 'v1/secrets'}
  }
} as const satisfies BlockApi
