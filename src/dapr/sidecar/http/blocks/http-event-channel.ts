import {jsonIn} from '../../../../model/is-json.ts'
import {requestApp, type AppRequestOptions, type AppResponse} from '../../../../proxy/gateway/app-request.ts'
import type {AttemptControl} from '../../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {
  EventProcessChannel,
  type AppEvent,
  type BatchEntry,
  type EventAnswer,
  type EventChannel,
  type EventTarget
} from '../../blocks/event-channel.ts'
import {memberIn, asString} from '../../blocks/json-text.ts'
import {goJson} from '../go-text.ts'
import {eventTraceparent, traceparentOfAll} from '../trace.ts'
import {metadataLines, pathOf, valueText} from './app-headers.ts'

const SUCCESS: EventAnswer = {kind: 'success'}
const DROP: EventAnswer = {kind: 'drop'}

/** Delivers events to an HTTP app (Dapr: pkg/runtime/subscription/postman/http). */
export class HttpEventChannel extends EventProcessChannel implements EventChannel {
  async deliver(target: EventTarget, event: AppEvent, attempt?: AttemptControl): Promise<EventAnswer> {
    const {pubsubName} = target.subscription
    const lines =
      `Content-Type: application/cloudevents+json\r\n${nameLine(pubsubName)}` +
      metadataLines(event.metadata) +
      traceLine(eventTraceparent(event))
    const before = this.process.pid()
    const response = await this.#post(target, {lines, body: event.body, attempt})
    return response.kind === 'response' ? answerOf(response) : this.unanswered(response, before)
  }

  readonly deliverBatch: EventChannel['deliverBatch'] = async (target, entries, attempt) => {
    const {pubsubName} = target.subscription
    const body = batchText(target, entries)
    const lines = `Content-Type: application/json\r\n${nameLine(pubsubName)}` + traceLine(traceparentOfAll(entries))
    const before = this.process.pid()
    const response = await this.#post(target, {lines, body: Buffer.from(body), attempt})
    return response.kind === 'response' ? answersOf(response, entries) : this.unanswered(response, before)
  }

  #post(
    {path, subscription: {pubsubName, topic}}: EventTarget,
    request: Pick<AppRequestOptions, 'lines' | 'body' | 'attempt'>
  ): Promise<AppResponse> {
    const {app, context, log} = this.process
    return requestApp({
      app,
      context,
      from: `${pubsubName}/${topic}`,
      method: 'POST',
      path: pathOf(path),
      ...request,
      warn: text => log('warn', text)
    })
  }
}

const nameLine = (pubsubName: string): string => `Pubsubname: ${valueText(pubsubName)}\r\n`

const traceLine = (traceparent: string): string => (traceparent === '' ? '' : `Traceparent: ${traceparent}\r\n`)

/** Returns the answer for the response to one event: by its HTTP status, then by `status` in its body. */
function answerOf({status, body}: Extract<AppResponse, {kind: 'response'}>): EventAnswer {
  const isSuccess = status >= 200 && status < 300
  if (!isSuccess) return {kind: status === 404 ? 'unknown' : 'failed', status, text: body.toString()}
  if (body.length === 0) return SUCCESS
  const word = asString(memberIn(jsonIn(body.toString()), 'status'))
  if (word === '' || word === 'SUCCESS') return SUCCESS
  if (word === 'DROP') return DROP
  return {kind: 'failed', status, text: body.toString(), word}
}

function batchText({subscription: {pubsubName, topic}}: EventTarget, entries: readonly BatchEntry[]): string {
  const items = entries.map(({entryId, event: {body, raw, metadata}}) => {
    const event = raw === undefined ? body.toString() : JSON.stringify(raw.toString('base64'))
    const type = raw === undefined ? 'application/cloudevents+json' : 'application/octet-stream'
    return `{"entryId":${goJson(entryId)},"event":${event},"metadata":${goJson(metadata)},"contentType":"${type}"}`
  })
  const id = crypto.randomUUID()
  return (
    `{"entries":[${items.join(',')}],"id":"${id}","metadata":{"pubsubName":${goJson(pubsubName)}},` +
    `"pubsubname":${goJson(pubsubName)},"topic":${goJson(topic)},"type":"com.dapr.event.sent.bulk"}`
  )
}

/** Returns the answers for the response to a batch: one for each event, or one for all if the body has no statuses. */
function answersOf(
  {status, body}: Extract<AppResponse, {kind: 'response'}>,
  entries: readonly BatchEntry[]
): readonly EventAnswer[] | EventAnswer {
  const text = body.toString()
  if (status === 404) return {kind: 'unknown', status, text}
  if (status < 200 || status >= 300) return {kind: 'failed', status, text}
  const statuses = statusesIn(text)
  if (statuses === undefined) return {kind: 'failed', status: 0, text: `the answer to a batch has no statuses: ${text}`}
  return entries.map(({entryId}) => {
    const word = statuses.get(entryId)
    if (word === 'SUCCESS') return SUCCESS
    return word === 'DROP' ? DROP : {kind: 'failed', status: 0, text: `${word || 'no'} status of entry ${entryId}`}
  })
}

/** Reads the statuses by the id of their entry; undefined: the body has none. */
function statusesIn(text: string): ReadonlyMap<string, string> | undefined {
  const statuses = memberIn(jsonIn(text), 'statuses')
  if (!Array.isArray(statuses)) return undefined
  return new Map(statuses.map(each => [asString(memberIn(each, 'entryId')), asString(memberIn(each, 'status'))]))
}
