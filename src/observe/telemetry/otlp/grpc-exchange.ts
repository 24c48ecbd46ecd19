import type {ServerHttp2Stream} from 'node:http2'
import {ExportError} from './exchange.ts'

/** The bytes before a message of gRPC: whether it is compressed, and its length. */
const PREFIX_BYTES = 5

/** The only message of a call, and how it is compressed. Throws an ExportError. */
export function grpcMessage(body: Buffer, encoding: string): [message: Buffer, encoding: string] {
  const isWhole = body.length >= PREFIX_BYTES && body.readUInt32BE(1) === body.length - PREFIX_BYTES
  if (!isWhole) throw new ExportError('INVALID', 'the call does not have exactly one message')
  return [body.subarray(PREFIX_BYTES), body[0] === 1 ? encoding : '']
}

/** Answers a unary call: with a message, or with why it failed. */
export function respondByGrpc(stream: ServerHttp2Stream, answer: Buffer | ExportError): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return
  const head = {':status': 200, 'content-type': 'application/grpc'}
  stream.resume()
  if (answer instanceof ExportError) {
    const {code, message} = answer
    stream.respond({...head, 'grpc-status': code, 'grpc-message': encodeURIComponent(message)}, {endStream: true})
    return
  }
  stream.respond(head, {waitForTrailers: true})
  stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': 0}))
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(answer.length, 1)
  stream.end(Buffer.concat([prefix, answer]))
}
