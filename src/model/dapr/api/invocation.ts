import type {BlockApi} from './block-api.ts'

/** Calls of other apps. Over HTTP they get all requests without another route (Dapr: pkg/api/http/directmessaging.go). */
export const INVOCATION = {
  errors: 'ERR_DIRECT_INVOKE service-invocation',
  operations: {InvokeService: {grpc: 'v1/invoke'}}
} as const satisfies BlockApi
