import type {Http2Server, ServerHttp2Stream} from 'node:http2'
import net from 'node:net'
import {attach} from '../net/claimed-server.ts'
import {Connections} from '../net/connections.ts'
import {bugText, contain} from '../net/error-boundary.ts'
import {respond} from '../net/http2/http2-reply.ts'
import {watchEnd} from '../net/http2/watch-end.ts'
import type {OpenPort} from './metrics-port.ts'

/** gRPC's code for what is not built. */
const UNIMPLEMENTED = '12'

// Plain ASCII: gRPC would have anything else escaped.
const SENTENCE = 'gRPC is not served here yet, call the HTTP port of this app'

/** Trailers only (gRPC over HTTP/2, Responses): status and message stand in the head. */
const REFUSAL = ['content-type', 'application/grpc', 'grpc-status', UNIMPLEMENTED, 'grpc-message', SENTENCE]

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
 * What the gRPC port answers until gRPC is served: every call has status 12. HTTP/2 is loaded with the first
 * connection: a run without callers of gRPC does not pay for it. `warn` is told of a bug of ours that ended a connection.
 */
export const openGrpcPort = (servers: readonly net.Server[], warn: (text: string) => void): OpenPort => {
  const connections = new Connections()
  let http2: Promise<Http2Server> | undefined
  const accept = async (socket: net.Socket): Promise<void> => {
    // one of HTTP/2 who ends has left with all his streams
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
