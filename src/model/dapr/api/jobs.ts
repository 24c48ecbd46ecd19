import type {BlockApi} from './block-api.ts'

const GRPC = 'v1alpha1/jobs v1/jobs'

/** Jobs (Dapr: pkg/api/http/jobs.go). */
export const JOBS = {
  errors: 'SCHEDULER job',
  operations: {
    ScheduleJob: {http: 'POST v1.0-alpha1/jobs/* v1.0/jobs/*', grpc: GRPC},
    DeleteJob: {http: 'DELETE v1.0-alpha1/jobs/* v1.0/jobs/*', grpc: GRPC},
    GetJob: {http: 'GET v1.0-alpha1/jobs/* v1.0/jobs/*', grpc: GRPC},
    DeleteJobsByPrefix: {grpc: GRPC},
    ListJobs: {grpc: GRPC}
  }
} as const satisfies BlockApi
