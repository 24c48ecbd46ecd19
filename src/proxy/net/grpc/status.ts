import {encodeField, encodeNamed} from '#h2-frames'
import {codeNamed} from '../../../model/grpc-code.ts'

/** Numbers of gRPC's codes (google.rpc.Code). */
export const OK = 0
export const CANCELLED = 1
export const UNKNOWN = 2
export const INVALID_ARGUMENT = 3
export const DEADLINE_EXCEEDED = 4
export const NOT_FOUND = 5
export const ALREADY_EXISTS = 6
export const PERMISSION_DENIED = 7
export const RESOURCE_EXHAUSTED = 8
export const FAILED_PRECONDITION = 9
export const UNIMPLEMENTED = 12
export const INTERNAL = 13
export const UNAVAILABLE = 14
export const UNAUTHENTICATED = 16

/** The status with which a gRPC call ends. */
export interface GrpcStatus {
  readonly code: number
  readonly message: string
  /** Encoded `google.rpc.Status`, latin1; omitted: none. */
  readonly details?: string
}

const RPC_ERROR = /^rpc error: code = (\w+) desc = /

/** Status of a call whose deadline has passed, in the words of grpc-go. */
export const EXCEEDED: GrpcStatus = {code: DEADLINE_EXCEEDED, message: 'context deadline exceeded'}

/** Parses an error text as Go's `status.FromError` does. `otherwise`: code of a text that names none. */
export const statusFrom = (text: string, otherwise: number): GrpcStatus => {
  const match = RPC_ERROR.exec(text)
  const code = codeNamed(match?.[1] ?? '')
  return match === null || code < 0 ? {code: otherwise, message: text} : {code, message: text.slice(match[0].length)}
}

// all but printable ASCII, and `%` itself (gRPC over HTTP/2, Status-Message); and outer spaces, which values of HTTP/2 cannot have
const ESCAPED = /[^\u0020-\u0024\u0026-\u007e]|^ | $/

/** Percent-encodes the UTF-8 bytes of a message for `grpc-message`. */
export const escapeMessage = (message: string): string => {
  if (!ESCAPED.test(message)) return message
  let text = ''
  for (const byte of Buffer.from(message.toWellFormed())) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25
    text += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text.replaceAll(/^ | $/g, '%20')
}

/** Decodes the percent-encoding of a text, as UTF-8. */
export const percentDecoded = (message: string): string => {
  const bytes = message.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16))
  )
  return Buffer.from(bytes, 'latin1').toString()
}

const CONTENT_TYPE = 31
const STATUS = 8

/** Returns the encoded field `:status`. */
export const statusField = (status: number): string =>
  status === 200 ? '\u0088' : encodeNamed(STATUS, status.toString())

/** Returns the encoded head of a response. `pairs`: names and values alternate. */
export function responseFields(status: number, pairs: readonly string[]): string {
  let fields = statusField(status)
  for (let at = 0; at + 1 < pairs.length; at += 2)
    fields += encodeField((pairs[at] ?? '').toLowerCase(), pairs[at + 1] ?? '')
  return fields
}

/** Maximum length of a message in trailers. Clients fail a call whose head is too large: in Java one of more than 8 KiB with its details. */
const MAX_TEXT = 3800

/** Returns an encoded `-bin` field: its value is base64 without padding. */
export const encodeBinary = (name: string, bytes: string): string =>
  encodeField(name, Buffer.from(bytes, 'latin1').toString('base64').replace(/=+$/, ''))

export const answerHead = (contentType: string, status = 200): string =>
  statusField(status) + encodeNamed(CONTENT_TYPE, contentType)

/** Returns the encoded trailers that end a response. */
export const trailersOf = ({code, message, details = ''}: GrpcStatus): string => {
  const text = cut(escapeMessage(message.slice(0, MAX_TEXT)))
  const hasDetails = details !== '' && text.length + (details.length * 4) / 3 <= 2 * MAX_TEXT
  const fields = encodeField('grpc-status', code.toString()) + (text && encodeField('grpc-message', text))
  return hasDetails ? fields + encodeBinary('grpc-status-details-bin', details) : fields
}

/** Shortens an escaped text to `MAX_TEXT`, not within an escape such as `%C3`, and not after a space. */
const cut = (escaped: string): string => escaped.slice(0, MAX_TEXT).replace(/ *(?:%.?)?$/, '')

/** Returns the gRPC code for a response that has only an HTTP status (gRPC's HTTP/2 status mapping). */
export const codeOfHttp = (status: number): number =>
  [429, 502, 503, 504].includes(status) ? UNAVAILABLE : (CODES_OF_HTTP.get(status) ?? UNKNOWN)

const CODES_OF_HTTP: ReadonlyMap<number, number> = new Map([
  [400, INTERNAL],
  [401, UNAUTHENTICATED],
  [403, PERMISSION_DENIED],
  [404, UNIMPLEMENTED]
])

/** Returns the status for a fault with an HTTP status, as gRPC clients would read such a response. */
export const faultedStatus = (hit: {
  readonly name: string
  readonly plan: {status: number; body: string}
}): GrpcStatus => ({
  code: codeOfHttp(hit.plan.status),
  message: hit.plan.body || hit.name
})

/** Returns the gRPC code for a stream that was reset with an HTTP/2 error code (grpc-go: http2ErrConvTab). */
export const codeOfReset = (code: number): number => CODES_OF_RESET.get(code) ?? (code > 13 ? UNKNOWN : INTERNAL)

const CODES_OF_RESET: ReadonlyMap<number, number> = new Map([
  [3, RESOURCE_EXHAUSTED],
  [7, UNAVAILABLE],
  [8, CANCELLED],
  [11, RESOURCE_EXHAUSTED],
  [12, PERMISSION_DENIED]
])

/** HTTP statuses by gRPC code (Dapr: pkg/messaging/v1/util.go, HTTPStatusFromCode). */
const HTTP_STATUSES = [200, 408, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]

export const httpStatusOf = (code: number): number => HTTP_STATUSES[code] ?? 500

/** Returns the status of a call that a resiliency policy has ended. `reason`: in Dapr's words. */
export const ofPolicy = (reason: string): GrpcStatus => ({
  code: reason === 'context deadline exceeded' ? DEADLINE_EXCEEDED : UNKNOWN,
  message: reason
})
