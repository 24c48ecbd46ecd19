import {randomUUID} from 'node:crypto'
import {isJson as isValidJson} from '../../../model/is-json.ts'
import {isTruthy} from '../../../model/truthy.ts'
import type {OutboxEvent} from '../../../work/outbox.ts'
import {isBinaryType, isJsonType} from './cloud-event.ts'
import type {StateChange, StateSet} from './state-requests.ts'

/** The broker and topic of the events of a store's transactions. */
export interface OutboxTarget {
  readonly app: string
  readonly store: string
  readonly pubsub: string
  readonly topic: string
}

const PROJECTION = 'outbox.projection'
/** Keys of an item's metadata that do not become keys of its event. */
const OWN: ReadonlySet<string> = new Set(['data', 'data_base64', PROJECTION])

/** A transaction of a store with an outbox, and its events. */
interface OutboxTransaction {
  /** The changes to write: all except items with `outbox.projection`, which only replace the data of an event. */
  readonly changes: readonly StateChange[]
  readonly events: readonly OutboxEvent[]
}

const isProjection = ({operation, request}: StateChange): boolean =>
  operation === 'upsert' && isTruthy(request.metadata[PROJECTION] ?? '')

/** Makes an event with a marker for each saved item (Dapr: pkg/runtime/pubsub/outbox.go). `trace`: the caller's `traceparent`. */
export function outboxTransaction(all: readonly StateChange[], target: OutboxTarget, trace = ''): OutboxTransaction {
  const projections = new Map(all.filter(isProjection).map(({request}) => [request.key, request]))
  const changes = all.filter(change => !isProjection(change))
  const made = Date.now()
  const events = changes.flatMap(({operation, request}): OutboxEvent[] => {
    if (operation !== 'upsert') return []
    const marker = `outbox-${randomUUID()}`
    const event = eventOf(request, projections.get(request.key) ?? request, marker, {...target, trace})
    return [{...target, marker, event: Buffer.from(event), made}]
  })
  return {changes, events}
}

/** Makes the event of a saved item in JSON. The metadata of `request` become keys; `said` has the data, its own or a projection's. */
function eventOf(
  request: StateSet,
  said: StateSet,
  marker: string,
  {app, topic, pubsub, trace}: OutboxTarget & {readonly trace: string}
): string {
  const text = said.value.toString()
  const given = said.metadata['contentType'] ?? ''
  const isText = !said.isJson || text.startsWith('"')
  const contentType = given || (isText ? 'text/plain' : 'application/json')
  const isJson = isJsonType(contentType) ? said.isJson || isValidJson(text) : said.isJson && !isText
  const plain = said.isJson && isText ? (JSON.parse(text) as string) : text
  const data = isBinaryType(contentType)
    ? `"data_base64":"${(plain === text ? said.value : Buffer.from(plain)).toString('base64')}"`
    : `"data":${isJson ? text : JSON.stringify(plain)}`
  const fields = {
    datacontenttype: contentType,
    pubsubname: pubsub,
    source: app,
    specversion: '1.0',
    topic,
    traceparent: trace,
    type: 'com.dapr.event.sent',
    ...request.metadata,
    id: marker
  }
  const others = Object.entries(fields).filter(([name]) => !OWN.has(name))
  return `{${data},${others.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}
