import {orElse, uriDecoded} from '../../../model/or-else.ts'
import {ownOf} from '../../../model/own.ts'
import {PIECE, type TapePiece, type PieceKind} from './byte-tape.ts'
import type {CallLine} from './call-lines.ts'
import type {RecordedCall} from './call-recorder.ts'

/** A recorded request or response. */
export interface RecordedMessage {
  /** First line and headers as received, without the empty line. */
  readonly head: string
  /** Alternating names and values. */
  readonly headers: readonly string[]
  /** The body, or its recorded beginning. */
  readonly body: Buffer
}

/** The content of a call, read from its bytes. */
export interface CallContent {
  /** Whether the recorder still has bytes of the call. */
  readonly isKept: boolean
  /** The request target as the caller sent it. */
  readonly target: string
  /** The path as the callee sees it: without the part that addresses the sidecar. */
  readonly path: string
  readonly request: RecordedMessage
  /** The response; its head is empty without a response. */
  readonly response: RecordedMessage
  /** Reason of the failure; empty without one. */
  readonly failure: string
  /** Reasons why the call waited in its callee's queue, the oldest first. */
  readonly waitedFor: readonly string[]
  /** The `traceparent` that the callee received; may be empty. */
  readonly traceparent: string
}

/** Returns the call with copies of its bytes: those on the tape are overwritten later. */
export const copyOfCall = (call: RecordedCall): RecordedCall => ({
  ...call,
  pieces: call.pieces.map(({kind, bytes}) => ({kind, bytes: Buffer.from(bytes)}))
})

/** Beginning of a request target that addresses an app (Dapr's or Daeploy's way) or an actor. */
const ADDRESS = /^\/(?:v1\.0\/invoke\/[^/?]+\/method|services\/([^/?]+)|v1\.0(?=\/actors\/))(?=[/?]|$)/

/** Returns the path of an app's method: `/items?id=7` for `/v1.0/invoke/stock/method/items?id=7`. Daeploy's `/services/7` stays unless `callee` is `7`. */
export function methodPath(target: string, callee: string): string {
  const name = `${callee.replace(/@\d[^@]*$/, '')}_`
  const behind = (address: string, service = name): string =>
    `${uriDecoded(service)}_`.startsWith(name) ? '' : address
  const path = target.replace(/^[a-z]+:\/\/[^/?]*/i, '').replace(ADDRESS, behind)
  return path.startsWith('/') ? path : `/${path}`
}

/** Reads the bytes of a call. */
export function contentOf({pieces = [], edgeOf}: Partial<Pick<RecordedCall, 'pieces' | 'edgeOf'>>): CallContent {
  const request = messageOf(pieces, PIECE.requestHead, PIECE.requestBody)
  const target = /^\S+ (\S+)/.exec(request.head)?.[1] ?? ''
  const traceLine = pieceText(pieces, PIECE.trace) || request.head
  return {
    isKept: pieces.length > 0,
    target,
    path: target === '' ? '' : methodPath(target, edgeOf?.callee ?? ''),
    request,
    response: messageOf(pieces, PIECE.responseHead, PIECE.responseBody),
    failure: pieceText(pieces, PIECE.failure),
    waitedFor: pieces.filter(({kind}) => kind === PIECE.waited).map(({bytes}) => bytes.toString()),
    traceparent: traceparentIn(traceLine)
  }
}

/** Returns the method of a call. The call's line holds only common methods: others (`PROPFIND`) are read from its bytes. */
export const methodOf = ({method}: Pick<CallLine, 'method'>, content: () => CallContent): string =>
  method || (content().request.head.split(' ', 1)[0] ?? '')

/** Whether a response of this media type may be endless. */
export const isStreamType = (type: string): boolean =>
  /^(?:text\/event-stream|application\/(?:x-)?nd-?json|multipart\/x-mixed-replace)/i.test(type)

/** Whether a response may be endless. */
export const isStream = ({headers}: RecordedMessage): boolean => isStreamType(headerValue(headers, 'content-type'))

/** Returns the first value of a header, by its name in lower case; may be empty. `headers`: alternating names and values. */
export function headerValue(headers: readonly string[], name: string): string {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name)
  return at < 0 ? '' : (headers[at + 1] ?? '')
}

/** How to undo HTTP's content codings, also of a cut body. */
const CODINGS = {
  gzip: ['unzipSync', 'Z_SYNC_FLUSH'],
  'x-gzip': ['unzipSync', 'Z_SYNC_FLUSH'],
  deflate: ['unzipSync', 'Z_SYNC_FLUSH'],
  br: ['brotliDecompressSync', 'BROTLI_OPERATION_FLUSH'],
  // since Node 22.15
  zstd: ['zstdDecompressSync', 'ZSTD_e_flush']
} as const

/** Maximum bytes of a decompressed body; a larger one is shown as received. */
export const MAX_PLAIN = 1024 * 1024

/** Decompresses a body. Leaves it unchanged if the compression is unknown or broken, if too little of it was recorded, or if it exceeds `max`. */
export function plainBody({headers, body}: RecordedMessage, max: number): Buffer {
  const coding = headerValue(headers, 'content-encoding').trim().toLowerCase()
  const [undo, finish] = ownOf(CODINGS, coding) ?? []
  if (undo === undefined || finish === undefined || body.length === 0) return body
  const zlib = process.getBuiltinModule('node:zlib')
  const flushed = {maxOutputLength: max, finishFlush: zlib.constants[finish]}
  // some servers send deflate without zlib's header
  const raw = (): Buffer => (coding === 'deflate' ? zlib.inflateRawSync(body, {maxOutputLength: max}) : body)
  const plain = orElse(() => zlib[undo](body, flushed), undefined) ?? orElse(raw, body)
  return plain.length === 0 ? body : plain
}

function messageOf(pieces: readonly TapePiece[], head: PieceKind, body: PieceKind): RecordedMessage {
  // a repeated request has several responses: the last counts; a body without its head is left out, since it may begin within a secret
  const last = pieces.findLast(({kind}) => kind === head)
  const text = (last?.bytes.toString('latin1') ?? '').replace(/(?:\r?\n)+$/, '')
  const from = last === undefined ? pieces.length : pieces.lastIndexOf(last)
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

export const traceparentIn = (lines: string): string => /^traceparent:[ \t]*(\S+)/im.exec(lines)?.[1] ?? ''

export const pieceText = (pieces: readonly TapePiece[], wanted: PieceKind): string =>
  pieces.findLast(({kind}) => kind === wanted)?.bytes.toString() ?? ''
