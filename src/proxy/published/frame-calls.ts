import type net from 'node:net'
import {FrameServer, type FrameStream, PROTOCOL_ERROR, SERVER_GREETING, type StreamHandler} from '#h2-frames'
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

/** Serves a caller that speaks HTTP/2 without TLS: each of its streams is a call. What has been read of it is read next. */
export function serveFrames({socket, onEnd, ...options}: FrameCallsOptions): FrameServer {
  socket.allowHalfOpen = false
  socket.write(SERVER_GREETING, 'latin1')
  return new FrameServer(
    socket,
    text => options.context().warn(text),
    server => new FrameCalls(server, options),
    onEnd
  )
}

class FrameCalls implements StreamHandler {
  readonly #connection: FrameServer
  readonly #options: Pick<FrameCallsOptions, 'context' | 'caller' | 'onStart'>

  constructor(connection: FrameServer, options: Pick<FrameCallsOptions, 'context' | 'caller' | 'onStart'>) {
    this.#connection = connection
    this.#options = options
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    const head = new FrameHead()
    const {walker} = this.#connection
    walker.walk(block, head)
    // a CONNECT has no path, and asks for a tunnel
    if (head.method === '' || head.path === '') return stream.reset(PROTOCOL_ERROR)
    const {context: contextOf, caller, onStart} = this.#options
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

  data(stream: FrameStream, bytes: string): void {
    stream.credit(bytes.length)
  }

  sent(): void {
    // a call has each stream from its head on
  }

  reset(): void {
    // see `sent`
  }

  lost(): void {
    // see `sent`
  }
}
