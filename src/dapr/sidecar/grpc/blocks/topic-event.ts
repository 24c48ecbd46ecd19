import {EMPTY_BYTES, type Message} from '../../../../proxy/net/grpc/message-codec.ts'
import {structOf} from '../../../../proxy/net/grpc/struct.ts'
import {isCloudEventType, isJsonType} from '../../blocks/cloud-event.ts'
import type {AppEvent, EventAnswer, EventTarget} from '../../blocks/event-channel.ts'
import {compactJson, memberTexts, asString} from '../../blocks/json-text.ts'
import {
  TopicEventResponse_TopicEventResponseStatus as STATUS,
  type TopicEventRequest
} from '../../../../model/dapr/messages/appcallback.generated.ts'

/** The attributes of a CloudEvent that have fields of the message (Dapr: pkg/runtime/pubsub, GRPCEnvelopeFromSubscriptionMessage). */
const OWN_FIELDS: ReadonlySet<string> = new Set(
  'id source type specversion datacontenttype data data_base64'.split(' ')
)

/** Converts an event to the message for gRPC apps. Attributes without a field become extensions. */
export const cloudEventOf = ({fields, body}: AppEvent) => ({
  id: asString(fields['id']),
  source: asString(fields['source']),
  type: asString(fields['type']),
  specVersion: asString(fields['specversion']),
  dataContentType: asString(fields['datacontenttype']),
  data: dataOf(fields, body),
  extensions: structOf(extensionsOf(fields))
})

function extensionsOf(fields: AppEvent['fields']): Readonly<Record<string, unknown>> {
  const extensions = Object.create(null) as Record<string, unknown>
  for (const name in fields) if (!OWN_FIELDS.has(name)) extensions[name] = fields[name]
  return extensions
}

export const topicEventOf = (
  {subscription: {pubsubName, topic}, path}: EventTarget,
  event: AppEvent
): Message<typeof TopicEventRequest> => ({...cloudEventOf(event), topic, pubsubName, path})

/** Returns the data of an event: bytes, text, or JSON with the digits of its numbers as written. */
function dataOf(fields: AppEvent['fields'], body: Buffer): Uint8Array {
  const {data, data_base64: base64} = fields
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  if (data === undefined || data === null) return EMPTY_BYTES
  const type = asString(fields['datacontenttype'])
  if (typeof data === 'string' && !isJsonType(type) && !isCloudEventType(type)) return Buffer.from(data)
  return Buffer.from(dataText(body.toString(), JSON.stringify(data)))
}

const FIRST = '{"data":'

/** Returns the JSON text of `data` in an event. `written`: the parsed data as JSON. An event that begins with it need not be searched. */
function dataText(text: string, written: string): string {
  const end = FIRST.length + written.length
  const isFirst = text.startsWith(FIRST) && text.startsWith(written, FIRST.length) && text[end] === ','
  if (isFirst && !text.includes('"data"', end) && !text.includes(String.raw`\u`, end)) return written
  return memberTexts(compactJson(text)).get('data') ?? written
}

const STATUSES = Object.keys(STATUS)

/** Returns the answer for a TopicEventResponseStatus. All statuses except SUCCESS and DROP mean that the app has failed. */
export function answerOfStatus(status: number): EventAnswer {
  if (status === STATUS.SUCCESS) return {kind: 'success'}
  if (status === STATUS.DROP) return {kind: 'drop'}
  const word = STATUSES[status]
  return {kind: 'failed', status: 0, text: word ?? `unknown status ${status}`, word: word ?? `${status}`}
}
