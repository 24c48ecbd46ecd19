import {encode} from './message-codec.ts'
import {latin1} from './message-gauge.ts'
import type {GrpcStatus} from './status.ts'

/** Details of an error that programs can read (google.rpc.ErrorInfo). */
export interface ErrorInfo {
  readonly reason: string
  readonly metadata: Readonly<Record<string, string>>
}

/** Schema of `google.rpc.Status`, which `grpc-status-details-bin` contains. */
export const STATUS = {
  code: [1, 'int32'],
  message: [2, 'string'],
  details: [3, {list: {type: [1, 'string'], value: [2, 'bytes']}}]
} as const
export const ERROR_INFO = {reason: [1, 'string'], domain: [2, 'string'], metadata: [3, 'map']} as const

/** Prefix of the type URLs in `details`. */
export const RPC_TYPES = 'type.googleapis.com/google.rpc.'
const DOMAIN = 'dapr.io'

/** Returns a status with an ErrorInfo in Dapr's domain. */
export const withErrorInfo = (code: number, message: string, {reason, metadata}: ErrorInfo): GrpcStatus => {
  const detail = {type: `${RPC_TYPES}ErrorInfo`, value: encode(ERROR_INFO, {reason, domain: DOMAIN, metadata})}
  return {code, message, details: latin1(encode(STATUS, {code, message, details: [detail]}))}
}
