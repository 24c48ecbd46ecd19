import {encodeField} from '../http2/field-text.ts'
import {encodeBinary} from './status.ts'

/** `grpc-trace-bin` (OpenCensus): 0, 0, trace, 1, span, 2, flags. */
const BINARY_BYTES = 29
const binary = Buffer.alloc(BINARY_BYTES)
binary[18] = 1
binary[27] = 2

const hex = (bytes: Buffer, from: number, to: number): string => bytes.toString('hex', from, to)

/** The value of `grpc-trace-bin` as a traceparent; '' = it is none. */
export const traceparentOf = (text: string): string => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== BINARY_BYTES || bytes[0] !== 0) return ''
  return `00-${hex(bytes, 2, 18)}-${hex(bytes, 19, 27)}-${hex(bytes, 28, 29)}`
}

const binaryOf = (traceparent: string): string => {
  binary.write(traceparent.slice(3, 35), 2, 'hex')
  binary.write(traceparent.slice(36, 52), 19, 'hex')
  binary.write(traceparent.slice(53, 55), 28, 'hex')
  return binary.toString('latin1')
}

/** A valid traceparent in its binary form, as a field. */
export const binaryTrace = (traceparent: string): string => encodeBinary('grpc-trace-bin', binaryOf(traceparent))

/** A valid traceparent in both forms, as fields. */
export const traceFields = (traceparent: string): string =>
  encodeField('traceparent', traceparent) + binaryTrace(traceparent)
