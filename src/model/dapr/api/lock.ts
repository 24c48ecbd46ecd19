import type {BlockApi} from './block-api.ts'

/** Locks (Dapr: pkg/api/http/lock.go). */
export const LOCK = {
  components: {one: 'lock store', purpose: 'locks', policies: 'Lock'},
  errors: 'LOCK lock',
  operations: {
    TryLock: {http: 'POST v1.0-alpha1/lock/*', grpc: 'v1alpha1/lock'},
    Unlock: {http: 'POST v1.0-alpha1/unlock/*', grpc: 'v1alpha1/unlock'}
  }
} as const satisfies BlockApi
