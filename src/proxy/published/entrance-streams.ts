import type {IncomingMessage} from 'node:http'
import type net from 'node:net'
import {duplexPair, type Duplex} from 'node:stream'
import {OF_CONNECTION} from '../net/http1/header-kinds.ts'
import {Http2Listener, type StreamRequest} from '../net/http2/http2-listener.ts'
import type {Http2Stream} from '../net/http2/http2-stream.ts'

/** Maximum size of a request's head, in bytes: the default of Node. */
const MAX_HEAD_BYTES = 16_384
/** Time in which a caller must send its HTTP/2 settings, in ms. */
const HEAD_MS = 10_000

/** Serves HTTP/2 at the entrance. Each stream becomes an HTTP/1.1 request on an in-memory connection. `caller`: socket of the HTTP/2 caller. */
export const streamsOfEntrance = (
  warn: (text: string) => void,
  serve: (connection: net.Socket, caller: net.Socket) => void
): Http2Listener =>
  new Http2Listener({
    maxHeadBytes: MAX_HEAD_BYTES,
    headMs: HEAD_MS,
    warn,
    serve: request => {
      const [ours, theirs] = duplexPair()
      serve(likeSocket(theirs), request.socket)
      forward(request, likeSocket(ours))
    }
  })

/** Adds to a stream the methods of a socket that the HTTP/1 code calls. */
function likeSocket(end: Duplex): net.Socket {
  const self = (): Duplex => end
  const destroy = (): Duplex => end.destroy()
  const destroySoon = (): void => void end.end(destroy)
  const methods = {setNoDelay: self, setKeepAlive: self, setTimeout: self, ref: self, unref: self}
  return Object.assign(end, {...methods, destroySoon, resetAndDestroy: destroy}) as unknown as net.Socket
}

function forward({method, url, rawHeaders, stream}: StreamRequest, connection: net.Socket): void {
  const {request: open} = process.getBuiltinModule('node:http')
  const request = open({method, path: url, headers: rawHeaders, createConnection: () => connection})
  request.on('response', answer => respond(stream, answer, method)).on('error', () => stream.close())
  stream.on('close', () => request.destroy())
  stream.pipe(request)
}

function respond(stream: Http2Stream, answer: IncomingMessage, method: string): void {
  const pairs: string[] = []
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    const name = answer.rawHeaders[at] ?? ''
    if (!OF_CONNECTION.has(name.toLowerCase())) pairs.push(name, answer.rawHeaders[at + 1] ?? '')
  }
  const hasBody = stream.respond({status: answer.statusCode ?? 502, pairs, isLast: method === 'HEAD'})
  if (hasBody) answer.on('aborted', () => stream.close()).pipe(stream)
  else answer.resume()
}
