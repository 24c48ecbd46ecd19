import type net from 'node:net'
import {DISCARDED, FrameServer, PROTOCOL_ERROR, SERVER_GREETING, type StreamHandler} from '#h2-frames'
import {bugText} from '../../model/errors.ts'
import {FrameCall} from './frame-call.ts'
import {FrameHead} from './frame-head.ts'
import type {PublishedContext} from './published-port-call.ts'

export interface FrameCallsOptions {
  readonly socket: net.Socket
  /** Returns the context for the next call: an edit may replace the app of the port. */
  readonly context: () => PublishedContext
  readonly warn: (text: string) => void
  /** Returns the name of the caller for the record of a call. */
  readonly caller: (context: PublishedContext) => string
  readonly onStart: (call: FrameCall, context: PublishedContext) => void
  readonly onEnd: (connection: FrameServer) => void
}

/** Serves a caller that speaks HTTP/2 without TLS: each of its streams becomes a `FrameCall`. */
export function serveFrames(options: FrameCallsOptions): FrameServer {
  const {socket, warn, onEnd} = options
  socket.allowHalfOpen = false
  socket.write(SERVER_GREETING, 'latin1')
  return new FrameServer(socket, warn, server => callsOf(server, options), onEnd)
}

/** Returns the handler of new streams: it reads the head of a stream, then a `FrameCall` handles the stream. */
const callsOf = ({walker}: FrameServer, {context: contextOf, caller, onStart}: FrameCallsOptions): StreamHandler => ({
  ...DISCARDED,
  head: (stream, block, isLast) => {
    const head = new FrameHead()
    walker.walk(block, head)
    // a CONNECT request has no path; tunnels are not supported
    if (head.method === '' || head.path === '') return stream.reset(PROTOCOL_ERROR)
    const context = contextOf()
    const call = new FrameCall(context, caller(context), head, stream, walker)
    stream.handler = call
    try {
      call.start(isLast)
      onStart(call, context)
    } catch (error) {
      context.warn(bugText(error))
      call.crash(error)
    }
  }
})
