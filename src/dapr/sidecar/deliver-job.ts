import {JobEventRequest} from '../../model/dapr/messages/appcallback.generated.ts'
import {codeText} from '../../model/grpc-code.ts'
import {requestApp} from '../../proxy/gateway/app-request.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import {requestGrpcApp} from '../../proxy/gateway/grpc-app-request.ts'
import {encode} from '../../proxy/net/grpc/message-codec.ts'
import {NOT_FOUND, OK, UNIMPLEMENTED} from '../../proxy/net/grpc/status.ts'
import {traceFields} from '../../proxy/net/grpc/trace-fields.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {type Job, jobBody} from '../../work/job/job.ts'
import type {JobOutcome} from '../../work/job/jobs.ts'
import {freshTraceparent} from './http/trace.ts'

interface JobDelivery {
  readonly runtime: AppRuntime
  readonly context: CallContext
  readonly warn: (text: string) => void
}

/** Name of the caller in the records of delivered jobs. */
const SCHEDULER = 'scheduler'
const CALLBACKS = ['AppCallback/OnJobEvent', 'AppCallbackAlpha/OnJobEventAlpha1']
const POST = 3

/** Delivers one firing of a job to an app (Dapr: pkg/runtime/scheduler, pkg/channel/http, pkg/channel/grpc). Never rejects. */
export async function deliverJob(job: Job, delivery: JobDelivery): Promise<JobOutcome> {
  const {runtime} = delivery
  const {pid} = runtime
  const outcome = runtime.plan.channel.protocol.startsWith('grpc')
    ? await overGrpc(job, delivery)
    : await overHttp(job, delivery)
  if (typeof outcome !== 'string') return outcome
  // a process that is being replaced cannot answer: the next process gets the job
  const isGone = runtime.pid !== pid || !runtime.isListening || !runtime.queue.isOpen
  return {kind: isGone ? 'undeliverable' : 'failed', answer: outcome, wasSent: true}
}

/** Delivers a job over HTTP. Resolves with a text, the reason, if the app got the job and did not answer. */
async function overHttp({name, data}: Job, {runtime, context, warn}: JobDelivery): Promise<JobOutcome | string> {
  const response = await requestApp({
    app: runtime,
    context,
    from: SCHEDULER,
    method: 'POST',
    path: `/job/${encodeURI(name)}`,
    lines: `Content-Type: application/json\r\nTraceparent: ${freshTraceparent()}\r\n`,
    body: jobBody(data),
    warn
  })
  if (response.kind === 'unreachable')
    return response.wasSent ? response.why : {kind: 'undeliverable', answer: response.why}
  const {status} = response
  if (status === 404) warn(`job ${name}: the app answers 404 to POST /job/${name}: it has no such route`)
  const isDone = (status >= 200 && status < 300) || status === 404
  return {kind: isDone ? 'done' : 'failed', answer: status.toString(), isMissing: status === 404}
}

/** Delivers a job over gRPC, by the alpha method if the app lacks the other. Resolves as `overHttp` does. */
async function overGrpc({name, data}: Job, {runtime, context, warn}: JobDelivery): Promise<JobOutcome | string> {
  const message = encode(JobEventRequest, {
    name,
    data: data && {typeUrl: data.typeUrl, value: data.value},
    method: `job/${name}`,
    contentType: data?.typeUrl ?? '',
    httpExtension: {verb: POST, querystring: ''}
  })
  let answer = ''
  for (const method of CALLBACKS) {
    const response = await requestGrpcApp({
      app: runtime,
      context,
      from: SCHEDULER,
      path: `/dapr.proto.runtime.v1.${method}`,
      fields: traceFields(freshTraceparent()),
      message,
      warn
    })
    if (response.kind === 'unreachable')
      return response.wasSent ? response.why : {kind: 'undeliverable', answer: response.why}
    const {code} = response.status
    answer = code === OK ? 'OK' : `${codeText(code)}: ${response.status.message}`
    if (code === NOT_FOUND) warn(`job ${name}: the app answers NotFound to ${method}`)
    if (code === OK || code === NOT_FOUND) return {kind: 'done', answer, isMissing: code === NOT_FOUND}
    if (code !== UNIMPLEMENTED) break
  }
  return {kind: 'failed', answer}
}
