import {isObject} from '../../../model/is-object.ts'
import {isJson} from '../../../model/is-json.ts'
import {randomUUID} from 'node:crypto'
import type {EventFields} from '../../../files/resources/routing-rule.ts'
import {textNamed} from '../../components/component-values.ts'
import {compactJson, memberTexts} from './json-text.ts'
import {timeAt} from '../../../work/times.ts'

/** An event to publish, before it is wrapped in a CloudEvent. */
export interface Publication {
  readonly pubsubName: string
  readonly topic: string
  readonly data: Buffer
  /** Type of `data`; '': none. */
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
  /** The publisher's trace; '': none. */
  readonly trace: {readonly traceparent: string; readonly tracestate: string}
  /** Whether a raw message carries the trace in its metadata, since it has no CloudEvent. */
  readonly isTraceInMetadata?: boolean
}

/** The CloudEvent in JSON, and its `id`; '': the id is missing or not a string. */
interface Envelope {
  readonly text: string
  readonly id: string
}

const SPEC_VERSION = '1.0'
const TYPE = 'com.dapr.event.sent'
const SOURCE = 'Dapr'
const OCTETS = 'application/octet-stream'

let lastContentType = ''
let lastType = ''

/** Returns the media type in lower case, without parameters. Remembers the latest one, since most events have the same. */
function typeOf(contentType: string): string {
  if (contentType === lastContentType) return lastType
  lastType = contentType.replace(/;.*$/s, '').trim().toLowerCase()
  lastContentType = contentType
  return lastType
}

export const isJsonType = (contentType: string): boolean => typeOf(contentType) === 'application/json'
export const isCloudEventType = (contentType: string): boolean => typeOf(contentType) === 'application/cloudevents+json'
export const isBinaryType = (contentType: string): boolean => typeOf(contentType) === OCTETS

const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, -'.000Z'.length)}Z`

let second = 0
let time = ''

/** Returns the time now, in whole seconds. Keeps the text for a second, since events are many. */
function timeNow(): string {
  const now = Math.trunc(Date.now() / 1000)
  if (now !== second) time = timeText(now * 1000)
  second = now
  return time
}

/** Returns the time at which an event with `ttlInSeconds` expires, if it does. Ignores values that are not positive numbers. */
function expirationOf(metadata: Publication['metadata']): string | undefined {
  const ttl = textNamed(metadata, 'ttlInSeconds')
  if (!/^\+?0*[1-9]\d*$/.test(ttl)) return undefined
  return timeText(Math.min(Date.now() + Number(ttl) * 1000, MAX_TIME))
}

/** End of the year 9999, in ms since 1970: the last time that RFC 3339 can express. */
const MAX_TIME = 253_402_300_799_000

/**
 * Wraps a publication in a CloudEvent (components-contrib: pubsub/envelope.go), in JSON with sorted keys. JSON data stays as written.
 * A publication that is a CloudEvent gets only its missing fields. `hasTtl`: the broker itself drops expired messages. Throws if the
 * given CloudEvent is invalid.
 */
export function envelopeOf(publication: Publication, appId: string, hasTtl = false): Envelope {
  const {contentType, metadata, data} = publication
  const {traceparent, tracestate} = publication.trace
  const hasMetadata = hasKeys(metadata)
  const expiration = hasTtl || !hasMetadata ? undefined : expirationOf(metadata)
  if (isCloudEventType(contentType)) return ownEvent(publication, expiration)
  const replaced = (name: string, usual: string): string =>
    (hasMetadata && textNamed(metadata, `cloudevent.${name}`)) || usual
  const subject = replaced('subject', '')
  const id = replaced('id', '') || randomUUID()
  const trace = quoted(replaced('traceparent', '') || replaced('traceid', traceparent))
  const text =
    `{${dataField(data, contentType)},"datacontenttype":${quoted(contentType === '' ? 'text/plain' : contentType)},` +
    (expiration === undefined ? '' : `"expiration":"${expiration}",`) +
    `"id":${quoted(id)},"pubsubname":${quoted(publication.pubsubName)},` +
    `"source":${quoted(replaced('source', appId))},"specversion":"1.0",` +
    (subject === '' ? '' : `"subject":${quoted(subject)},`) +
    `"time":"${timeNow()}","topic":${quoted(publication.topic)},` +
    `"traceid":${trace},"traceparent":${trace},` +
    `"tracestate":${quoted(replaced('tracestate', tracestate))},"type":${quoted(replaced('type', TYPE))}}`
  return {text, id}
}

function hasKeys(metadata: Publication['metadata']): boolean {
  for (const _ in metadata) return true
  return false
}

/** Returns a text as a JSON string. Most texts need only quotes. */
const quoted = (text: string): string => (/^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text))

function dataField(data: Buffer, contentType: string): string {
  if (isBinaryType(contentType)) return `"data_base64":"${data.toString('base64')}"`
  const text = data.toString()
  return `"data":${isJsonType(contentType) && isJson(text) ? compactJson(text) : JSON.stringify(text)}`
}

/** Adds the missing fields to a CloudEvent of the publisher. Existing values stay as written. */
function ownEvent({data, pubsubName, topic, trace}: Publication, expiration: string | undefined): Envelope {
  const text = data.toString()
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new Error('the event is no JSON object')
  const fields = new Map(memberTexts(compactJson(text)))
  const isEmpty = (name: string): boolean => ['', '""', 'null'].includes(fields.get(name) ?? '')
  const set = (name: string, content: string): void => void fields.set(name, JSON.stringify(content))
  const fill = (name: string, content: string): void => {
    if (isEmpty(name)) set(name, content)
  }
  if (isEmpty('traceparent')) set('traceparent', trace.traceparent)
  if (isEmpty('traceid')) fields.set('traceid', fields.get('traceparent') ?? '""')
  fill('tracestate', trace.tracestate)
  fill('time', timeNow())
  fill('source', SOURCE)
  fill('type', TYPE)
  fill('specversion', SPEC_VERSION)
  set('topic', topic)
  set('pubsubname', pubsubName)
  if (expiration !== undefined) set('expiration', expiration)
  const sorted = [...fields].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const id: unknown = JSON.parse(fields.get('id') ?? 'null')
  return {
    text: `{${sorted.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`,
    id: typeof id === 'string' ? id : ''
  }
}

/** Wraps the bytes of a message that is not a CloudEvent in one (components-contrib: FromRawPayload). */
export function rawEvent(
  data: Buffer,
  {pubsubName, topic, metadata}: Pick<Publication, 'pubsubName' | 'topic' | 'metadata'>
): EventFields {
  const {traceparent, tracestate} = metadata
  const traceid = traceparent ?? metadata['traceid']
  return {
    data_base64: data.toString('base64'),
    datacontenttype: OCTETS,
    id: randomUUID(),
    pubsubname: pubsubName,
    source: SOURCE,
    specversion: SPEC_VERSION,
    topic,
    ...(traceid !== undefined && {traceid}),
    ...(traceparent !== undefined && {traceparent}),
    ...(tracestate !== undefined && {tracestate}),
    type: TYPE
  }
}

/** Parses the CloudEvent in a message. Throws if the message is not a JSON object. */
export function parseEvent(data: Buffer): EventFields {
  const value: unknown = JSON.parse(data.toString())
  if (isObject(value)) return value
  throw new Error('it is no JSON object')
}

/** Whether an event has expired. Ignores an `expiration` that is not a time of RFC 3339: then the publisher uses the name for itself. */
export const hasExpired = ({expiration}: EventFields): boolean =>
  typeof expiration === 'string' && timeAt(expiration) < Date.now()
