import {encodeField, type FrameStream} from '#h2-frames'
import {framed} from '../../../proxy/net/grpc/message-gauge.ts'
import {answerHead, OK, trailersOf} from '../../../proxy/net/grpc/status.ts'
import {answerType} from './answer-faults.ts'
import {zlib} from './inflate.ts'
import type {InvokeReply} from './invoke-downstream.ts'
import type {RequestHead} from './request-head.ts'

const GZIP = encodeField('grpc-encoding', 'gzip')

/** A whole answer of the sidecar, compressed if its request was (grpc-go). */
export const answer = (caller: FrameStream, head: RequestHead, {fields, status, message}: InvokeReply): void => {
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
