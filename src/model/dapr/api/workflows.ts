import type {BlockApi, Operation} from './block-api.ts'

const GRPC = 'v1alpha1/workflows v1beta1/workflows'

const on = (method: string, path: string): Operation => ({
  http: `${method} v1.0-alpha1/workflows/${path} v1.0-beta1/workflows/${path} v1.0/workflows/${path}`,
  grpc: GRPC
})

/** Workflows (Dapr: pkg/api/http/workflow.go). */
export const WORKFLOWS = {
  errors: 'WORKFLOW|INSTANCE_ID workflow',
  operations: {
    GetWorkflow: on('GET', '*/*'),
    RaiseEventWorkflow: on('POST', '*/*/raiseEvent/*'),
    StartWorkflow: on('POST', '*/*/start'),
    PauseWorkflow: on('POST', '*/*/pause'),
    ResumeWorkflow: on('POST', '*/*/resume'),
    TerminateWorkflow: on('POST', '*/*/terminate'),
    PurgeWorkflow: on('POST', '*/*/purge')
  }
} as const satisfies BlockApi
