import {MODEL_HEADER, modelFactsIn, type ModelFacts} from '../../../model/model-facts.ts'
import {PIECE, type TapePiece, type PieceKind} from './byte-tape.ts'
import type {RecordedCall} from './call-recorder.ts'

/** A request or a response as it was recorded. */
export interface RecordedMessage {
  /** First line and headers as they came, without the empty line. */
  readonly head: string
  /** Names and values by turns. */
  readonly headers: readonly string[]
  /** The first bytes of it, at least. */
  readonly body: Buffer
}

/** What the bytes of a call say. */
export interface CallContent {
  /** They are still there. */
  readonly isKept: boolean
  /** The request target as the caller sent it. */
  readonly target: string
  /** As the callee sees it: without the part that addresses the sidecar. */
  readonly path: string
  readonly request: RecordedMessage
  /** Its head is '': there was none. */
  readonly response: RecordedMessage
  /** Why it failed; '' = it did not. */
  readonly failure: string
  /** What it waited for, in this order. */
  readonly waitedFor: readonly string[]
  /** The `traceparent` that went to the callee; '' = none. */
  readonly traceparent: string
}

/** The call with copies of its bytes: those on the tape are overwritten later. */
export const copyOfCall = (call: RecordedCall): RecordedCall => ({
  ...call,
  pieces: call.pieces.map(({kind, bytes}) => ({kind, bytes: Buffer.from(bytes)}))
})

/** What was asked of a language model. */
const CONVERSE = /^\/v1\.0-alpha[12]\/conversation\/[^/?]+\/converse$/

/** What a language model was asked for, and what that has cost; undefined: none was asked, or it has not answered. */
export function calledModel({target, response}: CallContent): ModelFacts | undefined {
  const value = CONVERSE.test(target) ? headerValue(response.headers, MODEL_HEADER) : ''
  return value === '' ? undefined : modelFactsIn(value)
}

/** The call without what was said to a language model, and by it: that stays in the run. */
export function withoutWords(call: RecordedCall): RecordedCall {
  const [, target = ''] = /^\S+ (\S+)/.exec(textOf(call.pieces, PIECE.requestHead)) ?? []
  if (!CONVERSE.test(target)) return call
  return {...call, pieces: call.pieces.filter(({kind}) => kind !== PIECE.requestBody && kind !== PIECE.responseBody)}
}

/** Dapr's and Daeploy's addresses of an app, and Dapr's of an actor. */
const ADDRESS = /^\/(?:v1\.0\/invoke\/[^/?]+\/method|services\/[^/?]+|v1\.0(?=\/actors\/))(?=[/?]|$)/

/** What the caller of an app's method meant: `/v1.0/invoke/stock/method/items?id=7` is `/items?id=7`. */
export function methodPath(target: string): string {
  const path = target.replace(/^[a-z]+:\/\/[^/?]*/i, '').replace(ADDRESS, '')
  return path.startsWith('/') ? path : `/${path}`
}

/** Reads the bytes of a call. */
export function contentOf({pieces}: Pick<RecordedCall, 'pieces'>): CallContent {
  const request = messageOf(pieces, PIECE.requestHead, PIECE.requestBody)
  const target = /^\S+ (\S+)/.exec(request.head)?.[1] ?? ''
  const traceLine = textOf(pieces, PIECE.trace) || request.head
  return {
    isKept: pieces.length > 0,
    target,
    path: target === '' ? '' : methodPath(target),
    request,
    response: messageOf(pieces, PIECE.responseHead, PIECE.responseBody),
    failure: textOf(pieces, PIECE.failure),
    waitedFor: pieces.filter(({kind}) => kind === PIECE.waited).map(({bytes}) => bytes.toString()),
    traceparent: traceparentOf(traceLine)
  }
}

/**
 * What links a call to others, without a copy of its bodies: its method and path, the `traceparent` that came from its caller and that went to the
 * callee, and of an event who published it (`source` of CloudEvents 1.0, a delivery's first bytes; '' = none).
 */
export function tracesOf({pieces}: Pick<RecordedCall, 'pieces'>): {
  readonly method: string
  readonly path: string
  readonly cameWith: string
  readonly wentWith: string
  readonly publisher: string
} {
  const head = textOf(pieces, PIECE.requestHead)
  const [, method = '', target = ''] = /^(\S+) (\S+)/.exec(head) ?? []
  const cameWith = traceparentOf(head)
  const [, publisher = ''] = EVENT.test(head) ? (SOURCE.exec(beginOf(pieces)) ?? []) : []
  const wentWith = traceparentOf(textOf(pieces, PIECE.trace)) || cameWith
  return {method, path: methodPath(target), cameWith, wentWith, publisher}
}

const EVENT = /^content-type:[ \t]*application\/cloudevents\+json/im
const SOURCE = /"source":"([^"\\]+)"/
/** So much of an event is looked at. */
const BEGIN_BYTES = 4096

const beginOf = (pieces: readonly TapePiece[]): string =>
  pieces.find(({kind}) => kind === PIECE.requestBody)?.bytes.toString('utf8', 0, BEGIN_BYTES) ?? ''

/** The first value of a header, by its name in lower case; '': there is none. `headers`: names and values by turns. */
export function headerValue(headers: readonly string[], name: string): string {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name)
  return at < 0 ? '' : (headers[at + 1] ?? '')
}

function messageOf(pieces: readonly TapePiece[], head: PieceKind, body: PieceKind): RecordedMessage {
  // a request that was sent again has several responses: the last one counts
  const last = pieces.findLast(({kind}) => kind === head)
  const text = (last?.bytes.toString('latin1') ?? '').replace(/(?:\r?\n)+$/, '')
  const from = last === undefined ? 0 : pieces.lastIndexOf(last)
  const bodies = pieces.slice(from).filter(({kind}) => kind === body)
  return {head: text, headers: headersOf(text), body: Buffer.concat(bodies.map(({bytes}) => bytes))}
}

function headersOf(head: string): readonly string[] {
  return head
    .split(/\r?\n/)
    .slice(1)
    .flatMap(line => {
      const colon = line.indexOf(':')
      return colon < 0 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()]
    })
}

const traceparentOf = (lines: string): string => /^traceparent:[ \t]*(\S+)/im.exec(lines)?.[1] ?? ''

const textOf = (pieces: readonly TapePiece[], wanted: PieceKind): string =>
  pieces.findLast(({kind}) => kind === wanted)?.bytes.toString() ?? ''
