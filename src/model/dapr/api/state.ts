import type {BlockApi} from './block-api.ts'

/** State (Dapr: pkg/api/http/http.go, constructStateEndpoints). */
export const STATE = {
  components: {one: 'state store', purpose: 'state', policies: 'Statestore', counted: 'state'},
  errors: 'ERR_STATE|DAPR_STATE|SUPPORTED_STATE state',
  operations: {
    GetState: {http: 'GET v1.0/state/*/*', grpc: 'v1/state'},
    DeleteState: {http: 'DELETE v1.0/state/*/*', grpc: 'v1/state'},
    SaveState: {http: 'POST PUT v1.0/state/*', grpc: 'v1/state'},
    GetBulkState: {http: 'POST PUT v1.0/state/*/bulk', grpc: 'v1/state'},
    ExecuteStateTransaction: {http: 'POST PUT v1.0/state/*/transaction', grpc: 'v1/state'},
    DeleteBulkState: {grpc: 'v1/state'},
    QueryState: {http: 'POST PUT v1.0-alpha1/state/*/query', grpc: 'v1alpha1/state', log: 'QueryStateAlpha1'}
  }
} as const satisfies BlockApi
