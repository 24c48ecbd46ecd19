import type {AnswerFields} from '../../../proxy/net/grpc/answer-fields.ts'
import {INTERNAL, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import type {RequestHead} from './request-head.ts'

export const NO_TRAILERS: GrpcStatus = {code: INTERNAL, message: 'server closed the stream without sending trailers'}

/** An answer repeats the type of its request (grpc-go). */
export const answerType = ({contentType}: RequestHead): string =>
  contentType.startsWith('application/grpc') ? contentType : 'application/grpc'

/** grpc-go's text for an answer that is not gRPC. */
export const httpText = ({httpStatus, contentType}: AnswerFields): string => {
  const type = contentType.startsWith('application/grpc')
    ? ''
    : `; transport: received unexpected content-type "${contentType}"`
  return `unexpected HTTP status code received from server: ${httpStatus}${type}`
}
