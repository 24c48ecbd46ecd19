import type {BlockApi} from './block-api.ts'

/** Bindings (Dapr: pkg/api/http/http.go, constructBindingsEndpoints). */
export const BINDINGS = {
  components: {one: 'binding', purpose: 'bindings', policies: 'Binding', counted: 'output_binding'},
  errors: 'BINDING binding',
  operations: {InvokeBinding: {http: 'POST PUT v1.0/bindings/*', grpc: 'v1/bindings'}}
} as const satisfies BlockApi
