import type {BlockApi} from './block-api.ts'

/** Conversation (Dapr: pkg/api/http/conversation.go). */
export const CONVERSATION = {
  errors: 'CONVERSATION conversation',
  operations: {
    Converse: {
      http: 'POST v1.0-alpha1/conversation/*/converse v1.0-alpha2/conversation/*/converse',
      grpc: 'v1alpha1/conversation v1alpha2/conversation'
    }
  }
} as const satisfies BlockApi
