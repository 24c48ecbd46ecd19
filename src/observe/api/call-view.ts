import {StringDecoder} from 'node:string_decoder'
import type * as Api from '../../model/api.generated.ts'
import {wallTime} from '../../platform/wall-time.ts'
import {
  contentOf,
  headerValue,
  MAX_PLAIN,
  methodOf,
  plainBody,
  type CallContent,
  type RecordedMessage
} from '../telemetry/recorder/call-content.ts'
import {calledModel, calledActor} from '../telemetry/recorder/callee-kinds.ts'
import {FLAG, heldMs, isFailed, tookMs, type CallLine} from '../telemetry/recorder/call-lines.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import type {Edge} from '../telemetry/recorder/edges.ts'
import {hasFields, Masking} from '../telemetry/recorder/masking.ts'
import {MARKS} from '../telemetry/recorder/filter.ts'

const MARK_NAMES = Object.keys(MARKS) as (keyof typeof MARKS)[]

/** Returns a time of `performance.now()` as an ISO 8601 date. */
export const isoTime = (at: number): string => new Date(wallTime.of(at)).toISOString()

/** Returns a call as a row of a list. `now`: time up to which an open call is counted. */
export function rowOf(
  line: CallLine & {readonly edgeOf: Edge; readonly pieces?: unknown},
  content: CallContent,
  masking: Masking,
  now = performance.now()
): Api.Call {
  const {number, edgeOf, startedAt, status, flags, waitedMs: _waited, totalMs: _total, ...own} = line
  const {method: _method, edge: _edge, connectMs: _connect, pieces: _pieces, ...fields} = own
  const isOpen = (flags & FLAG.open) !== 0
  const actor = calledActor(content, flags)
  const model = modelOf(content)
  return {
    number,
    at: isoTime(startedAt),
    from: edgeOf.caller,
    to: masking.target(edgeOf.callee), // the callee may be the URL of an external endpoint
    method: methodOf(line, () => content),
    path: masking.target(content.path),
    status,
    isOpen,
    isFailed: !isOpen && isFailed(line),
    failure: masking.text(reasonFirst(content.failure)),
    waitedMs: heldMs(line, now),
    waitedFor: content.waitedFor.map(reason => masking.text(reason)),
    totalMs: tookMs(line, now),
    ...fields,
    traceparent: content.traceparent,
    ...(actor !== undefined && {actor}),
    ...(model !== undefined && {model}),
    marks: MARK_NAMES.filter(name => (flags & MARKS[name]) !== 0),
    isKept: content.isKept
  }
}

function modelOf(content: CallContent): Api.CalledModel | undefined {
  const facts = calledModel(content)
  if (facts === undefined) return undefined
  const {model: name, usage, reasons, tools} = facts
  return {name, reasons, tools, ...(usage !== undefined && {tokens: usage})}
}

export function detailOf(call: RecordedCall, masking: Masking, now?: number, said = contentOf(call)): Api.CallDetail {
  return {
    ...rowOf(call, said, masking, now),
    target: masking.target(said.target),
    connectMs: call.connectMs,
    request: messageView(said.request, call.requestBytes, masking),
    response: messageView(said.response, call.responseBytes, masking),
    isTruncated: (call.flags & FLAG.truncated) !== 0
  }
}

/** Returns a message for display. `bytes`: size of the whole body. A partly recorded body that ends within a character is still text. */
export function messageView(message: RecordedMessage, bytes: number, masking = new Masking()): Api.Message {
  const {head, headers, body} = message
  const masked = masking.head(head).split(/\r?\n/)
  const type = headerValue(headers, 'content-type')
  // in a compressed body the names of secrets would not be found
  const shown = masking.body(plainBody(message, MAX_PLAIN), type)
  const text = body.length < bytes ? new StringDecoder().write(shown) : shown.toString()
  const isText = !text.includes('\uFFFD') && !text.includes('\0')
  return {
    line: masked[0] ?? '',
    headers: masked.slice(1).flatMap(each => {
      const colon = each.indexOf(':')
      return colon < 0 ? [] : [[each.slice(0, colon), each.slice(colon + 1).trim()] as const]
    }),
    body: isText ? text : shown.toString('base64'),
    encoding: isText ? 'utf8' : 'base64',
    ...(isText && text !== '' && !hasFields(text, type) && {isUnmasked: true})
  }
}

/** Puts Pillion's reason, which a failure has in brackets at its end, before Dapr's long text: tables cut off the end of a line. */
export function reasonFirst(failure: string): string {
  const begin = failure.indexOf(failure.endsWith(']') ? ' [' : ' (')
  return begin < 0 || !/[)\]]$/.test(failure) ? failure : `${failure.slice(begin + 2, -1)} (${failure.slice(0, begin)})`
}
