import type {JOBS} from '../../../model/dapr/api/jobs.ts'
import {
  DeleteJobRequest,
  DeleteJobResponse,
  DeleteJobsByPrefixRequest,
  DeleteJobsByPrefixResponse,
  GetJobRequest,
  GetJobResponse,
  type Job as JobMessage,
  ListJobsRequest,
  ListJobsResponse,
  ScheduleJobRequest,
  ScheduleJobResponse
} from '../../../model/dapr/messages/jobs.generated.ts'
import type {Message} from '../../../proxy/net/grpc/message-codec.ts'
import {valueBytes} from '../../../proxy/net/grpc/struct.ts'
import type {Job, JobRequest} from '../../../work/job/job.ts'
import type {FailurePolicy} from '../../../work/series/series.ts'
import type {Blocks} from '../blocks/blocks.ts'
import {jobDataJson, VALUE_URL} from '../../../work/job/job-data.ts'
import {DONE, json, malformed, readJson, type BlockHandler} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'
import {policyMessage, policyOf} from './failure-policy.ts'
import {grpc, type OperationsOf} from './operation.ts'

type Body = Readonly<Record<string, unknown>>

/** A member by either of its names; null is none (protojson). */
const member = (body: Body, name: string, other = name): unknown => body[name] ?? body[other] ?? undefined

function textOf(body: Body, name: string, other?: string): string | undefined {
  const value = member(body, name, other)
  if (value === undefined || typeof value === 'string') return value
  throw malformed(`"${name}" must be a text`)
}

function countOf(body: Body, name: string, other?: string): number | undefined {
  const value = member(body, name, other)
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (number === undefined) return undefined
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number >= 2 ** 32)
    throw malformed(`"${name}" must be a whole number from 0 to 4294967295`)
  return number
}

function policyIn(body: Body): FailurePolicy | undefined {
  const policy = member(body, 'failurePolicy', 'failure_policy')
  if (policy === undefined) return undefined
  if (!isObject(policy)) throw malformed('"failurePolicy" must be an object')
  const {drop, constant} = policy
  if (drop !== undefined && constant !== undefined) throw malformed('"failurePolicy" is either drop or constant')
  if (drop !== undefined) return {kind: 'drop'}
  if (constant === undefined) return undefined
  if (!isObject(constant)) throw malformed('"constant" must be an object')
  const interval = textOf(constant, 'interval') ?? '0s'
  if (!/^-?\d+(?:\.\d+)?s$/.test(interval)) throw malformed(`"interval" must be seconds such as 3s, not "${interval}"`)
  return {
    kind: 'constant',
    intervalMs: parseFloat(interval) * 1000,
    maxRetries: countOf(constant, 'maxRetries', 'max_retries')
  }
}

const schedule: BlockHandler = async ({jobs}, request) => {
  const {value: body} = readJson(request)
  if (!isObject(body)) throw malformed('expected an object')
  if (body['name'] !== undefined)
    throw jobs.refused('DAPR_SCHEDULER_JOB_NAME', 'Set the job name in the url only', false)
  const {data} = body
  const job = {
    name: (request.params[0] ?? '').trim(),
    schedule: textOf(body, 'schedule'),
    dueTime: textOf(body, 'dueTime', 'due_time'),
    ttl: textOf(body, 'ttl'),
    repeats: countOf(body, 'repeats'),
    data: data === undefined ? undefined : {typeUrl: VALUE_URL, value: valueBytes(data)},
    policy: policyIn(body)
  }
  await jobs.schedule(job, body['overwrite'] === true)
  return DONE
}

const seconds = (ms: number): string => `${ms % 1000 === 0 ? ms / 1000 : (ms / 1000).toFixed(3)}s`

const policyJson = (policy: FailurePolicy): object =>
  policy.kind === 'drop'
    ? {drop: {}}
    : {constant: {interval: seconds(policy.intervalMs), maxRetries: policy.maxRetries}}

/** A job as protojson writes it. */
const jobJson = ({name, schedule: plan, repeats, dueTime, ttl, data, policy}: Job): object => ({
  name,
  schedule: plan,
  repeats,
  dueTime,
  ttl,
  data: data && jobDataJson(data),
  failurePolicy: policyJson(policy)
})

const messageOfJob = ({
  name,
  schedule: plan,
  repeats,
  dueTime,
  ttl,
  data,
  policy
}: Job): Message<typeof JobMessage> => ({
  name,
  schedule: plan,
  repeats,
  dueTime,
  ttl,
  data: data && {typeUrl: data.typeUrl, value: data.value},
  failurePolicy: policyMessage(policy)
})

function requestIn({
  name,
  schedule: plan,
  repeats,
  dueTime,
  ttl,
  data,
  failurePolicy
}: Message<typeof JobMessage>): JobRequest {
  return {name, schedule: plan, repeats, dueTime, ttl, data, policy: policyOf(failurePolicy)}
}

const deletePrefix = async (
  {jobs}: Blocks,
  {namePrefix}: {readonly namePrefix: string | undefined}
): Promise<undefined> => {
  await jobs.deletePrefix(namePrefix ?? '')
  return undefined
}

/** Jobs (Dapr: pkg/api/http/jobs.go, pkg/api/universal/jobs.go). */
export const JOB_OPERATIONS: OperationsOf<typeof JOBS> = {
  ScheduleJob: {
    http: schedule,
    grpc: grpc(ScheduleJobRequest, ScheduleJobResponse, async ({jobs}, {job, overwrite}) => {
      if (job === undefined) throw jobs.refused('DAPR_SCHEDULER_EMPTY', 'Job is empty')
      await jobs.schedule(requestIn(job), overwrite)
      return undefined
    })
  },
  GetJob: {
    http: async ({jobs}, {params: [name = '']}) => json(jobJson(await jobs.get(name))),
    grpc: grpc(GetJobRequest, GetJobResponse, async ({jobs}, {name}) => ({job: messageOfJob(await jobs.get(name))}))
  },
  DeleteJob: {
    http: async ({jobs}, {params: [name = '']}) => {
      await jobs.delete(name)
      return DONE
    },
    grpc: grpc(DeleteJobRequest, DeleteJobResponse, async ({jobs}, {name}) => {
      await jobs.delete(name)
      return undefined
    })
  },
  DeleteJobsByPrefix: {grpc: grpc(DeleteJobsByPrefixRequest, DeleteJobsByPrefixResponse, deletePrefix)},
  ListJobs: {
    grpc: grpc(ListJobsRequest, ListJobsResponse, async ({jobs}) => ({jobs: (await jobs.list()).map(messageOfJob)}))
  }
}
