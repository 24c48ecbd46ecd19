import type {PUBSUB} from '../../../model/dapr/api/blocks.ts'
import {
  BulkPublishRequest,
  BulkPublishResponse,
  PublishEventRequest
} from '../../../model/dapr/messages/pubsub.generated.ts'
import {Empty} from '../../../model/dapr/messages/google.generated.ts'
import {isBase64} from '../../../model/bytes.ts'
import {messageOf} from '../../../model/errors.ts'
import {BlockError} from '../blocks/block-error.ts'
import {isBinaryType, isCloudEventType, isJsonType} from '../blocks/cloud-event.ts'
import {itemTexts, memberIn, memberText} from '../blocks/json-text.ts'
import {pubsubDetails, unmarshalable, type BulkEntry} from '../blocks/publishing.ts'
import {goJson} from '../http/go-text.ts'
import {bufferOf, grpc, type GrpcOperation, type OperationsOf} from './operation.ts'
import {EMPTY} from '../http/errors.ts'
import {headerOf, json, metadataOf, type BlockHandler} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'

const publish: BlockHandler = async ({publishing}, request) => {
  const {params, query, body} = request
  const [pubsubName = '', topic = ''] = params
  const publication = {
    pubsubName,
    topic,
    data: body,
    contentType: headerOf(request, 'content-type'),
    metadata: metadataOf(query),
    trace: traceIn(request.trace)
  }
  await publishing.publish(publication, request.onGone)
  return EMPTY
}

const publishBulk: BlockHandler = async ({publishing}, request) => {
  const {params, query, body} = request
  const [pubsubName = '', topic = ''] = params
  const target = {pubsubName, topic, metadata: metadataOf(query), trace: traceIn(request.trace)}
  await publishing.check(target)
  const entries = entriesIn(body.toString(), {pubsubName, topic, appId: publishing.context.appId})
  const failed = await publishing.publishBulk({...target, entries}, request.onGone)
  if (failed.length === 0) return EMPTY
  return json({failedEntries: failed, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE'}, 500)
}

const TRACE = /^(?:Traceparent: (.*)\r\n)?(?:Tracestate: (.*)\r\n)?$/

const traceIn = (lines: string): {readonly traceparent: string; readonly tracestate: string} => {
  const [, traceparent = '', tracestate = ''] = TRACE.exec(lines) ?? []
  return {traceparent, tracestate}
}

function entriesIn(text: string, target: Parameters<typeof unmarshalable>[0]): readonly BulkEntry[] {
  const {topic, pubsubName, appId} = target
  const unreadable = (words: string): BlockError => {
    const message = `error when unmarshaling the request for topic ${topic} pubsub ${pubsubName}: ${words}`
    const details = pubsubDetails('DAPR_PUBSUB_UNMARSHAL_EVENTS', pubsubName, message, {appID: appId})
    return new BlockError([400, 'invalidArgument', 'ERR_PUBSUB_EVENTS_SER'], message, details)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unreadable(text.trim() === '' ? 'EOF' : messageOf(error))
  }
  if (!Array.isArray(value)) throw unreadable('expected an array of entries')
  const ids = new Set<string>()
  return itemTexts(text).map((item, at) => {
    const entry: unknown = value[at]
    if (!isObject(entry)) throw unreadable(`entry ${at} is no object`)
    try {
      return readEntry(item, entry, ids)
    } catch (error) {
      throw unmarshalable(target, messageOf(error))
    }
  })
}

/** Reads an entry of a bulk request. Keys may differ in upper and lower case: the JavaScript SDK writes `entryID`. */
function readEntry(text: string, entry: Readonly<Record<string, unknown>>, ids: Set<string>): BulkEntry {
  const [entryId, event, contentType = '', metadata = {}] = ['entryId', 'event', 'contentType', 'metadata'].map(name =>
    memberIn(entry, name)
  )
  if (typeof entryId !== 'string' || entryId === '' || ids.has(entryId))
    throw new Error(`entryId is duplicated or not present for entry${textAfter(entryId)}`)
  ids.add(entryId)
  if (typeof contentType !== 'string' || !isObject(metadata))
    throw new Error(`contentType of the entry ${entryId} must be a text, and its metadata an object`)
  const data = eventBytes(event, memberText(text, 'event') ?? 'null', contentType)
  const pairs = Object.entries(metadata).map(([key, value]) => [key, typeof value === 'string' ? value : goJson(value)])
  return {entryId, data, contentType, metadata: Object.fromEntries(pairs) as Record<string, string>}
}

const textAfter = (entryId: unknown): string =>
  typeof entryId === 'string' && entryId !== '' ? ` (entryId ${entryId})` : ''

/** Returns the bytes of an entry's event, by its content type (Dapr: pkg/api/http, ConvertEventToBytes). `text`: its JSON. */
function eventBytes(event: unknown, text: string, contentType: string): Buffer {
  const mismatch = new Error('error: mismatch between contentType and event')
  if (isBinaryType(contentType)) {
    if (typeof event !== 'string') throw mismatch
    if (!isBase64(event))
      throw new Error('error: unable to decode base64 application/octect-stream data: illegal base64 data')
    return Buffer.from(event, 'base64')
  }
  if (isCloudEventType(contentType)) {
    if (!isObject(event)) throw mismatch
    return Buffer.from(text)
  }
  if (isJsonType(contentType) || /^[^;]*\+json/i.test(contentType)) return Buffer.from(text)
  if (/^(?:text\/|application\/xml)/i.test(contentType.trim())) {
    if (typeof event !== 'string') throw mismatch
    return Buffer.from(event)
  }
  throw mismatch
}

/** Publishes several events over gRPC. Replies with the entries that failed; if all failed, the call fails, as in Dapr. */
const publishBulkByGrpc: GrpcOperation = grpc(
  BulkPublishRequest,
  BulkPublishResponse,
  async ({publishing}, {entries: sent, ...target}, {trace, onGone}) => {
    await publishing.check(target)
    const {appId} = publishing.context
    const ids = new Set<string>()
    const entries = sent.map(({event, ...entry}): BulkEntry => {
      if (entry.entryId === '' || ids.has(entry.entryId))
        throw unmarshalable({...target, appId}, 'entryId is duplicated or not present for entry')
      ids.add(entry.entryId)
      return {...entry, data: bufferOf(event)}
    })
    const failedEntries = await publishing.publishBulk({...target, trace, entries}, onGone)
    const [first] = failedEntries
    if (first !== undefined && failedEntries.length === entries.length) throw publishing.failed(target, first.error)
    return {failedEntries}
  }
)

/** Publish and subscribe (Dapr: pkg/api/http/http.go, onPublish, onBulkPublish; pkg/api/grpc/grpc.go). */
export const PUBSUB_OPERATIONS: OperationsOf<typeof PUBSUB> = {
  PublishEvent: {
    http: publish,
    grpc: grpc(
      PublishEventRequest,
      Empty,
      async ({publishing}, {data, dataContentType: contentType, ...request}, {trace, onGone}) => {
        const publication = {...request, contentType, data: bufferOf(data), trace, isTraceInMetadata: true}
        await publishing.publish(publication, onGone)
        return undefined
      }
    )
  },
  BulkPublishEvent: {http: publishBulk, grpc: publishBulkByGrpc},
  SubscribeTopicEvents: {
    stream: async (stream, blocks) =>
      (await import('../grpc/blocks/subscribe-topic-events.ts')).subscribeTopicEvents(stream, blocks)
  }
}
