import {encodeField} from '#h2-frames'
import {requestGrpcApp, type GrpcAppRequestOptions} from '../../../../proxy/gateway/grpc-app-request.ts'
import type {AttemptControl} from '../../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {decode, encode, type Message, type Schema} from '../../../../proxy/net/grpc/message-codec.ts'
import {messageOf} from '../../../../model/errors.ts'
import {OF_CONNECTION} from '../../../../proxy/net/http1/header-kinds.ts'
import {OK, UNIMPLEMENTED} from '../../../../proxy/net/grpc/status.ts'
import {traceFields} from '../../../../proxy/net/grpc/trace-fields.ts'
import {
  EventProcessChannel,
  type AppEvent,
  type BatchEntry,
  type EventAnswer,
  type EventChannel,
  type EventTarget
} from '../../blocks/event-channel.ts'
import {eventTraceparent, traceparentOfAll} from '../../http/trace.ts'
import {
  TopicEventBulkRequest,
  TopicEventBulkResponse,
  TopicEventRequest,
  TopicEventResponse
} from '../../../../model/dapr/messages/appcallback.generated.ts'
import {answerOfStatus, cloudEventOf, topicEventOf} from './topic-event.ts'

const CALLBACK = '/dapr.proto.runtime.v1.AppCallback/'
const ALPHA = '/dapr.proto.runtime.v1.AppCallbackAlpha/'

type Response = {readonly kind: 'message'; readonly message: Buffer} | EventAnswer

/** Delivers events to a gRPC app (Dapr: pkg/runtime/subscription/postman/grpc). */
export class GrpcEventChannel extends EventProcessChannel implements EventChannel {
  /** Id of the latest process that knows bulk delivery only by its alpha name; NaN: none. */
  #alphaOnly = Number.NaN

  async deliver(target: EventTarget, event: AppEvent, attempt?: AttemptControl): Promise<EventAnswer> {
    const {pubsubName} = target.subscription
    const response = await this.#call(`${CALLBACK}OnTopicEvent`, {
      from: fromOf(target),
      fields: metadataFields({...event.metadata, pubsubName}) + traceIn(eventTraceparent(event)),
      message: encode(TopicEventRequest, topicEventOf(target, event)),
      attempt
    })
    if (response.kind !== 'message') return response
    const answer = read(TopicEventResponse, response.message)
    return 'kind' in answer ? answer : answerOfStatus(answer.status)
  }

  readonly deliverBatch: EventChannel['deliverBatch'] = async (target, entries, attempt) => {
    const unsendable = new Map<string, EventAnswer>()
    const items = entries.flatMap(entry => {
      try {
        return [itemOf(entry)]
      } catch (error) {
        unsendable.set(entry.entryId, failed(messageOf(error)))
        return []
      }
    })
    if (items.length === 0) return [...unsendable.values()]
    const message = encode(TopicEventBulkRequest, batchOf(target, items))
    const fields = metadataFields({pubsubName: target.subscription.pubsubName}) + traceIn(traceparentOfAll(entries))
    const call = {from: fromOf(target), fields, message, attempt}
    const pid = this.process.pid()
    let response: Response | undefined
    if (this.#alphaOnly !== pid) response = await this.#call(`${CALLBACK}OnBulkTopicEvent`, call)
    if (response === undefined || response.kind === 'unknown') {
      response = await this.#call(`${ALPHA}OnBulkTopicEventAlpha1`, call)
      if (response.kind === 'message') this.#alphaOnly = pid
    }
    if (response.kind !== 'message') return response
    const answer = read(TopicEventBulkResponse, response.message)
    if ('kind' in answer) return answer
    const statuses = new Map(answer.statuses.map(({entryId, status}) => [entryId, status]))
    return entries.map(({entryId}): EventAnswer => {
      const status = statuses.get(entryId)
      const given = status === undefined ? failed(`no status of entry ${entryId}`) : answerOfStatus(status)
      return unsendable.get(entryId) ?? given
    })
  }

  async #call(
    path: string,
    call: Pick<GrpcAppRequestOptions, 'from' | 'fields' | 'message' | 'attempt'>
  ): Promise<Response> {
    const {app, context, pid, log} = this.process
    const before = pid()
    const response = await requestGrpcApp({...call, app, context, path, warn: text => log('warn', text)})
    if (response.kind === 'unreachable') return this.unanswered(response, before)
    const {status, message} = response
    if (status.code === OK) return {kind: 'message', message}
    return {kind: status.code === UNIMPLEMENTED ? 'unknown' : 'failed', status: status.code, text: status.message}
  }
}

const fromOf = ({subscription: {pubsubName, topic}}: EventTarget): string => `${pubsubName}/${topic}`

const failed = (text: string): Extract<EventAnswer, {kind: 'failed'}> => ({kind: 'failed', status: 0, text})

/** Converts an event of a batch to its message. Throws if the event cannot be encoded. */
const itemOf = ({entryId, event}: BatchEntry) => ({
  entryId,
  bytes: event.raw,
  cloudEvent: event.raw === undefined ? cloudEventOf(event) : undefined,
  contentType: event.raw === undefined ? 'application/cloudevents+json' : 'application/octet-stream',
  metadata: event.metadata
})

function batchOf(
  {subscription: {pubsubName, topic}, path}: EventTarget,
  entries: readonly ReturnType<typeof itemOf>[]
) {
  return {
    id: crypto.randomUUID(),
    entries,
    metadata: {pubsubName},
    topic,
    pubsubName,
    type: 'com.dapr.event.sent.bulk',
    path
  }
}

/** Decodes the app's answer. Returns a failure for an invalid message. */
function read<S extends Schema>(schema: S, message: Buffer): Message<S> | Extract<EventAnswer, {kind: 'failed'}> {
  try {
    return decode(schema, message)
  } catch (error) {
    return failed(`grpc: error unmarshalling response: ${messageOf(error)}`)
  }
}

const NAME = /^[0-9a-z_.-]+$/
const VALUE = /^[ -~]*$/
/** Names of metadata that gRPC or the sidecar sets itself. */
const OWN = /^(?:content-type|content-length|host|user-agent|grpc-.*|.*-bin|traceparent|tracestate|dapr-api-token)$/

/** Encodes the metadata of a message as fields. Leaves out names and values that gRPC does not allow (gRPC over HTTP/2, Custom-Metadata). */
function metadataFields(metadata: AppEvent['metadata']): string {
  let fields = ''
  for (const [key, value] of Object.entries(metadata)) {
    const name = key.toLowerCase()
    if (NAME.test(name) && VALUE.test(value) && !OWN.test(name) && !OF_CONNECTION.has(name))
      fields += encodeField(name, value.trim())
  }
  return fields
}

const traceIn = (traceparent: string): string => (traceparent === '' ? '' : traceFields(traceparent))
