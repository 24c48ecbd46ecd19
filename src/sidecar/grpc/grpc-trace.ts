import {freshTraceparent, isTraceparent} from '../http/trace.ts'
import {encodeField} from '../../net/http2/field-text.ts'
import {encodeBinary} from '../../net/grpc/status.ts'
import type {RequestHead} from './request-head.ts'

/** `grpc-trace-bin` (OpenCensus): 0, 0, trace, 1, span, 2, flags. */
const BINARY_BYTES = 29
const binary = Buffer.alloc(BINARY_BYTES)
binary[18] = 1
binary[27] = 2

const hex = (bytes: Buffer, from: number, to: number): string => bytes.toString('hex', from, to)

const fromBinary = (text: string): string => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== BINARY_BYTES || bytes[0] !== 0) return ''
  return `00-${hex(bytes, 2, 18)}-${hex(bytes, 19, 27)}-${hex(bytes, 28, 29)}`
}

const toBinary = (traceparent: string): string => {
  binary.write(traceparent.slice(3, 35), 2, 'hex')
  binary.write(traceparent.slice(36, 52), 19, 'hex')
  binary.write(traceparent.slice(53, 55), 28, 'hex')
  return binary.toString('latin1')
}

/** The trace of a call: the caller's, of which the binary form counts first, or a new one. */
export const traceOf = ({traceBin, traceparent}: RequestHead): string => {
  const told = traceBin === '' ? '' : fromBinary(traceBin)
  if (told !== '' && isTraceparent(told)) return told
  return traceparent !== '' && isTraceparent(traceparent) ? traceparent : freshTraceparent()
}

/** A trace in both forms, as fields. */
export const traceFields = (traceparent: string): string =>
  encodeField('traceparent', traceparent) + encodeBinary('grpc-trace-bin', toBinary(traceparent))
