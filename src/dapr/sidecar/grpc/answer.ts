import {encodeField, type FrameStream} from '#h2-frames'
import {framed} from '../../../proxy/net/grpc/message-gauge.ts'
import {answerHead, OK, trailersOf, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import {zlib} from './inflate.ts'
import {answerType, type RequestHead} from './request-head.ts'

export interface WholeAnswer {
  readonly fields: string
  readonly status: GrpcStatus
  /** Message, sent if the status is OK. */
  readonly message: Uint8Array
}

const GZIP = encodeField('grpc-encoding', 'gzip')

/** A whole answer of the sidecar, compressed if its request was (grpc-go). */
export const answer = (caller: FrameStream, head: RequestHead, {fields, status, message}: WholeAnswer): void => {
  const isGzip = head.encoding === 'gzip' && status.code === OK
  const first = answerHead(answerType(head)) + (isGzip ? GZIP : '') + fields
  if (fields === '' && status.code !== OK) return caller.writeHead(first + trailersOf(status), true)
  caller.writeHead(first, false)
  if (isGzip) {
    const {gzipSync, constants} = zlib()
    caller.writeData(framed(gzipSync(message, {level: constants.Z_BEST_SPEED}), true), false)
  }
  if (!isGzip && status.code === OK) caller.writeData(framed(message), false)
  caller.writeHead(trailersOf(status), true)
}
