import type {Http2Server, ServerHttp2Stream} from 'node:http2'
import net from 'node:net'
import {attach} from '../net/claimed-server.ts'
import {Connections} from '../net/connections.ts'
import {bugText, contain} from '../net/error-boundary.ts'
import {respond} from '../net/http2/http2-reply.ts'
import {watchEnd} from '../net/http2/watch-end.ts'
import type {OpenPort} from './metrics-port.ts'

/** gRPC's status code for what is not implemented. */
const UNIMPLEMENTED = '12'

// Plain ASCII: gRPC would escape anything else.
const MESSAGE = 'gRPC is not served here yet, call the HTTP port of this app'

/** Trailers-Only (gRPC over HTTP/2, Responses): status and message are sent in the head. */
const REFUSAL = ['content-type', 'application/grpc', 'grpc-status', UNIMPLEMENTED, 'grpc-message', MESSAGE]

const refuse = (stream: ServerHttp2Stream): void => {
  stream.on('error', () => stream.close())
  respond(stream, {status: 200, pairs: REFUSAL, isLast: true})
  stream.resume()
}

const load = async (warn: (text: string) => void): Promise<Http2Server> => {
  const {createServer} = await import('node:http2')
  return createServer()
    .on('session', session =>
      contain(session, error => {
        warn(bugText(error))
        session.destroy()
      })
    )
    .on('stream', refuse)
}

/**
 * Serves the gRPC port until gRPC is implemented: every call gets status 12. node:http2 is loaded with the first connection,
 * so that a run without gRPC does not pay for it. `warn` is called for an internal error that closed a connection.
 */
export const openGrpcPort = (servers: readonly net.Server[], warn: (text: string) => void): OpenPort => {
  const connections = new Connections()
  let http2: Promise<Http2Server> | undefined
  const accept = async (socket: net.Socket): Promise<void> => {
    // an HTTP/2 client that ends the connection has abandoned all its streams
    socket.allowHalfOpen = false
    socket.pause().on('error', () => socket.destroy())
    http2 ??= load(warn)
    const server = await http2
    server.once('session', session => watchEnd(session, socket))
    server.emit('connection', socket)
  }
  const open = servers.map(claim => {
    const server = net.createServer(socket => void accept(socket))
    connections.follow(server)
    attach(claim, server)
    return server
  })
  return {
    close: () => {
      for (const server of open) server.close()
      connections.destroy()
    }
  }
}
