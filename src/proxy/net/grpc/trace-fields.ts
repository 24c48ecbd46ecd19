import {encodeInteger} from '#h2-frames'

/** Size of a `grpc-trace-bin` (OpenCensus): the bytes 0, 0, trace id, 1, span id, 2, flags. */
export const BINARY_BYTES = 29
const binary = Buffer.alloc(BINARY_BYTES)
/** Length of a `grpc-trace-bin` in base64 without padding. */
export const BINARY_LENGTH = 39
export const TRACEPARENT_LENGTH = 55

const hex = (bytes: Buffer, from: number, to: number): string => bytes.toString('hex', from, to)

/** Returns the start of an encoded field, up to its value of a known length (RFC 7541 §6.2.2). */
const fieldOf = (name: string, length: number): string =>
  `\0${encodeInteger(name.length, 7, 0)}${name}${encodeInteger(length, 7, 0)}`

export const TRACEPARENT = fieldOf('traceparent', TRACEPARENT_LENGTH)
export const TRACE_BIN = fieldOf('grpc-trace-bin', BINARY_LENGTH)

/** Converts a value of `grpc-trace-bin` to a traceparent; '': invalid. */
export const traceparentOf = (text: string): string => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== BINARY_BYTES || bytes[0] !== 0) return ''
  return `00-${hex(bytes, 2, 18)}-${hex(bytes, 19, 27)}-${hex(bytes, 28, 29)}`
}

/** Returns the encoded field `grpc-trace-bin` for a valid traceparent. */
export const binaryTrace = (traceparent: string): string => {
  const [trace, span, flags] = [traceparent.slice(3, 35), traceparent.slice(36, 52), traceparent.slice(53, 55)]
  binary.write(`0000${trace}01${span}02${flags}`, 'hex')
  return TRACE_BIN + binary.toString('base64').slice(0, BINARY_LENGTH)
}

/** Returns the encoded fields `traceparent` and `grpc-trace-bin` for a valid traceparent. Drops additional parts of later versions. */
export const traceFields = (traceparent: string): string =>
  TRACEPARENT +
  (traceparent.length === TRACEPARENT_LENGTH ? traceparent : traceparent.slice(0, TRACEPARENT_LENGTH)) +
  binaryTrace(traceparent)
