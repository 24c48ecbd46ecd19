import type net from 'node:net'
import {DISCARDED, FrameServer, PROTOCOL_ERROR, SERVER_GREETING, type StreamHandler} from '#h2-frames'
import {bugText} from '../../model/errors.ts'
import {FrameCall} from './frame-call.ts'
import {FrameHead} from './frame-head.ts'
import type {PublishedContext} from './published-port-call.ts'

export interface FrameCallsOptions {
  readonly socket: net.Socket
  readonly context: () => PublishedContext
  /** The caller of a call, before it is sent. */
  readonly caller: () => string
  readonly onStart: (call: FrameCall) => void
  readonly onEnd: (connection: FrameServer) => void
}

/** Serves a caller that speaks HTTP/2 without TLS: each of its streams is a call. Starts with the bytes that were read already. */
export function serveFrames(options: FrameCallsOptions): FrameServer {
  const {socket, context, onEnd} = options
  socket.allowHalfOpen = false
  socket.write(SERVER_GREETING, 'latin1')
  const warn = (text: string): void => context().warn(text)
  return new FrameServer(socket, warn, server => callsOf(server, options), onEnd)
}

/** Makes a call of each stream: its head is all that is not the call's. */
const callsOf = ({walker}: FrameServer, {context: contextOf, caller, onStart}: FrameCallsOptions): StreamHandler => ({
  ...DISCARDED,
  head: (stream, block, isLast) => {
    const head = new FrameHead()
    walker.walk(block, head)
    // a CONNECT has no path, and asks for a tunnel
    if (head.method === '' || head.path === '') return stream.reset(PROTOCOL_ERROR)
    const context = contextOf()
    const call = new FrameCall(context, caller(), head, stream, walker)
    stream.handler = call
    try {
      call.start(isLast)
      onStart(call)
    } catch (error) {
      context.warn(bugText(error))
      call.crash(error)
    }
  }
})
