import {promisify} from 'node:util'
import {ExportLogsServiceResponse} from '../../../model/otlp/messages/logs_service.generated.ts'
import {ExportTraceServiceResponse} from '../../../model/otlp/messages/trace_service.generated.ts'
import {DecodeError, encode} from '../../../proxy/net/grpc/message-codec.ts'
import type {Signal} from './read-export.ts'
import type {Taken} from './take-export.ts'

/** Maximum bytes of a request. A batch of 512 spans, as the SDKs send it, has some hundred kilobytes. */
export const MAX_EXPORT_BYTES = 8 * 1024 * 1024

/** gRPC status codes and the corresponding HTTP statuses (OTLP 1.x, "Failures"). */
const FAILURES = {
  INVALID: {code: 3, status: 400},
  UNSUPPORTED: {code: 3, status: 415},
  FOREIGN: {code: 7, status: 403},
  TOO_LARGE: {code: 8, status: 413},
  UNKNOWN: {code: 12, status: 404},
  METHOD: {code: 12, status: 405},
  BUSY: {code: 14, status: 503}
} as const

/** Thrown for a refused request, with its gRPC code and HTTP status. */
export class ExportError extends Error {
  readonly code: number
  readonly status: number

  constructor(failure: keyof typeof FAILURES, message: string) {
    super(message)
    ;({code: this.code, status: this.status} = FAILURES[failure])
  }
}

/** Returns the signal of a request by its path, if it is one of OTLP. Metrics are accepted and dropped. */
export function signalOf(path: string): Signal | 'metrics' | undefined {
  const [, http] = /^\/v1\/(traces|logs|metrics)\/?(?:\?.*)?$/s.exec(path) ?? []
  const [, grpc] = /^\/opentelemetry\.proto\.collector\.(trace|logs|metrics)\.v1\.\w+Service\/Export$/.exec(path) ?? []
  const name = http ?? (grpc === 'trace' ? 'traces' : grpc)
  return name === 'traces' || name === 'logs' || name === 'metrics' ? name : undefined
}

/** Returns the decompressed body. Throws an ExportError. */
export async function decompressed(body: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === '' || encoding === 'identity') return body
  if (encoding !== 'gzip')
    throw new ExportError('UNSUPPORTED', `the encoding ${encoding} is not supported, only gzip is`)
  const {gunzip} = process.getBuiltinModule('node:zlib')
  try {
    return await promisify(gunzip)(body, {maxOutputLength: MAX_EXPORT_BYTES})
  } catch (error) {
    if (error instanceof RangeError) throw exportTooLarge()
    throw new ExportError('INVALID', 'the body is not compressed by gzip, as its head says')
  }
}

export const exportTooLarge = (): ExportError =>
  new ExportError('TOO_LARGE', `the body has more than ${MAX_EXPORT_BYTES / 1024 / 1024} MiB: send smaller batches`)

/** Returns the answer to a request whose items were read, in the encoding of the request. */
export function answerTo(signal: Signal | 'metrics', {rejected, why}: Taken, isJson: boolean): Buffer {
  if (rejected === 0 || signal === 'metrics') return Buffer.from(isJson ? '{}' : '')
  const name = signal === 'traces' ? 'rejectedSpans' : 'rejectedLogRecords'
  if (isJson) return Buffer.from(JSON.stringify({partialSuccess: {[name]: rejected.toString(), errorMessage: why}}))
  const count = BigInt(rejected)
  return Buffer.from(
    signal === 'traces'
      ? encode(ExportTraceServiceResponse, {partialSuccess: {rejectedSpans: count, errorMessage: why}})
      : encode(ExportLogsServiceResponse, {partialSuccess: {rejectedLogRecords: count, errorMessage: why}})
  )
}

/** `google.rpc.Status`, without its details. */
const STATUS = {code: [1, 'int32'], message: [2, 'string']} as const

export const failureBody = ({code, message}: ExportError, isJson: boolean): Buffer =>
  isJson ? Buffer.from(JSON.stringify({code, message})) : Buffer.from(encode(STATUS, {code, message}))

/** Returns an error that is a mistake of the sender. Undefined for other errors. */
export function exportErrorOf(error: unknown): ExportError | undefined {
  if (error instanceof ExportError) return error
  return error instanceof DecodeError
    ? new ExportError('INVALID', `the body cannot be read: ${error.message}`)
    : undefined
}
