import type {Readable, Writable} from 'node:stream'
import {owned} from '../../../platform/shared-reads.ts'
import {UpstreamError} from '../dialer.ts'
import type {Connect, RemoteSink, RequestBody} from '../remote-side.ts'
import type {WebOptions} from './web-agent.ts'
import {ExternalRequest} from './external-request.ts'

/** Returns the client for calls to an external URL: each call becomes a request of node:http, whose bodies are streamed. */
export const connectWeb =
  (options: WebOptions): Connect =>
  ({opened}) => {
    let current: ExternalRequest | undefined
    let response: Readable | undefined
    process.nextTick(opened)
    return {
      request: (adapted, sink) => {
        current = new ExternalRequest(options, adapted, {
          respond: (status, pairs, body) => {
            response = body
            sink.respond(status, pairs)
            passOn(body, sink)
          },
          fail: error => sink.fail(error)
        })
        return bodyOf(current.start(), adapted.hasBody, sink)
      },
      resume: () => response?.resume(),
      end: isWhole => {
        if (isWhole) return void response?.resume() // the connection stays open for the next request
        response?.destroy()
        current?.end()
      }
    }
  }

/** Relays the body of a response to the sink. */
const passOn = (body: Readable, sink: RemoteSink): void =>
  void body
    .on('data', (piece: Buffer) => void (sink.data(piece) || body.pause()))
    .on('end', () => sink.end())
    .on('error', error => sink.fail(error))
    .on('close', () => sink.fail(new UpstreamError('unexpected EOF')))

/** Returns the target for the body of a request. Drops pieces after the callee has closed the stream, as it may after its response. */
function bodyOf(stream: Writable, hasBody: boolean, sink: RemoteSink): RequestBody {
  if (hasBody) stream.on('drain', () => sink.drain())
  else stream.end()
  return {
    write: (bytes, isLast) => {
      const isTaken = bytes === undefined || stream.destroyed || stream.writableEnded || stream.write(owned(bytes))
      if (isLast) stream.end()
      return isTaken
    }
  }
}
