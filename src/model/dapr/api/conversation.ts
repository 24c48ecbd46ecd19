import type {BlockApi} from './block-api.ts'

/** Conversation (Dapr: pkg/api/http/conversation.go). */
export const CONVERSATION = {
  components: {one: 'conversation', purpose: 'language models', policies: 'Conversation', counted: 'conversation'},
  errors: 'CONVERSATION conversation',
  operations: {
    ConverseAlpha1: {http: 'POST v1.0-alpha1/conversation/*/converse', grpc: 'v1alpha1/conversation', log: 'Converse'},
    ConverseAlpha2: {http: 'POST v1.0-alpha2/conversation/*/converse', grpc: 'v1alpha2/conversation', log: 'Converse'}
  }
} as const satisfies BlockApi
