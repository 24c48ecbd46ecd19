import type {JOBS} from '../../../model/dapr/api/blocks.ts'
import {
  DeleteJobRequest,
  DeleteJobsByPrefixRequest,
  GetJobRequest,
  GetJobResponse,
  Job as JobMessage,
  ListJobsRequest,
  ListJobsResponse,
  ScheduleJobRequest
} from '../../../model/dapr/messages/jobs.generated.ts'
import type {Message} from '../../../proxy/net/grpc/message-codec.ts'
import {valueBytes} from '../../../proxy/net/grpc/struct.ts'
import {type Job, type JobRequest, jobDataJson, VALUE_URL} from '../../../work/job/job.ts'
import type {FailurePolicy} from '../../../work/series/series.ts'
import {httpDone, json, malformed, readJson} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'
import {messageOfJson} from './proto-json.ts'
import {grpc, grpcDone, type OperationsOf} from './operation.ts'
import type {JobFailurePolicy} from '../../../model/dapr/messages/common.generated.ts'

const schedule = httpDone(async ({jobs}, request) => {
  const {value: body} = readJson(request)
  if (!isObject(body)) throw malformed('expected an object')
  if (body['name'] !== undefined)
    throw jobs.refused('DAPR_SCHEDULER_JOB_NAME', 'Set the job name in the url only', false)
  const {data, ...rest} = body
  const job = {
    ...requestIn(messageOfJson(JobMessage, rest)),
    name: (request.params[0] ?? '').trim(),
    data: data === undefined ? undefined : {typeUrl: VALUE_URL, value: valueBytes(data)}
  }
  return jobs.schedule(job, body['overwrite'] === true)
})

const secondsText = (ms: number): string => `${ms % 1000 === 0 ? ms / 1000 : (ms / 1000).toFixed(3)}s`

const policyJson = (policy: FailurePolicy): object =>
  policy.kind === 'drop'
    ? {drop: {}}
    : {constant: {interval: secondsText(policy.intervalMs), maxRetries: policy.maxRetries}}

/** Returns a job as JSON, as Go's protojson writes it. */
const jobJson = (job: Job): object => ({
  ...toldOf(job),
  data: job.data && jobDataJson(job.data),
  failurePolicy: policyJson(job.policy)
})

const messageOfJob = (job: Job): Message<typeof JobMessage> => ({
  ...toldOf(job),
  data: job.data && {typeUrl: job.data.typeUrl, value: job.data.value},
  failurePolicy: policyMessage(job.policy)
})

/** Returns the fields that are the same in the JSON and in the message of a job. */
const toldOf = ({name, schedule: plan, repeats, dueTime, ttl}: Job) => ({name, schedule: plan, repeats, dueTime, ttl})

const requestIn = ({failurePolicy, ...job}: Message<typeof JobMessage>): JobRequest => ({
  ...job,
  policy: policyOf(failurePolicy)
})

/** Jobs (Dapr: pkg/api/http/jobs.go, pkg/api/universal/jobs.go). */
export const JOB_OPERATIONS: OperationsOf<typeof JOBS> = {
  ScheduleJob: {
    http: schedule,
    grpc: grpcDone(ScheduleJobRequest, async ({jobs}, {job, overwrite}) => {
      if (job === undefined) throw jobs.refused('DAPR_SCHEDULER_EMPTY', 'Job is empty')
      return jobs.schedule(requestIn(job), overwrite)
    })
  },
  GetJob: {
    http: async ({jobs}, {params: [name = '']}) => json(jobJson(await jobs.get(name))),
    grpc: grpc(GetJobRequest, GetJobResponse, async ({jobs}, {name}) => ({job: messageOfJob(await jobs.get(name))}))
  },
  DeleteJob: {
    http: httpDone(async ({jobs}, {params: [name = '']}) => jobs.delete(name)),
    grpc: grpcDone(DeleteJobRequest, async ({jobs}, {name}) => jobs.delete(name))
  },
  DeleteJobsByPrefix: {
    grpc: grpcDone(DeleteJobsByPrefixRequest, async ({jobs}, {namePrefix}) => jobs.deletePrefix(namePrefix ?? ''))
  },
  ListJobs: {
    grpc: grpc(ListJobsRequest, ListJobsResponse, async ({jobs}) => ({jobs: (await jobs.list()).map(messageOfJob)}))
  }
}

type PolicyMessage = Message<typeof JobFailurePolicy>

/** Reads the failure policy of a job or a reminder; undefined: the default. */
export function policyOf(
  {drop, constant}: PolicyMessage = {drop: undefined, constant: undefined}
): FailurePolicy | undefined {
  if (drop !== undefined) return {kind: 'drop'}
  const {seconds = 0n, nanos = 0} = constant?.interval ?? {}
  const intervalMs = Math.max(0, Number(seconds) * 1000 + nanos / 1e6)
  return constant && {kind: 'constant', intervalMs, maxRetries: constant.maxRetries}
}

function policyMessage(policy: FailurePolicy): PolicyMessage {
  if (policy.kind === 'drop') return {drop: {}, constant: undefined}
  const {intervalMs, maxRetries} = policy
  const interval = {seconds: BigInt(Math.trunc(intervalMs / 1000)), nanos: Math.round((intervalMs % 1000) * 1e6)}
  return {drop: undefined, constant: {interval, maxRetries}}
}
