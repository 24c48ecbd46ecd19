import net from 'node:net'
import {SERVER_GREETING} from '#h2-frames'
import {attach, isOnUnixSocket, takeOver} from '../../proxy/net/claimed-server.ts'
import {Connections} from '../../proxy/net/connections.ts'
import {bugText} from '../../model/errors.ts'
import {Once} from '../../model/once.ts'
import type {GrpcContext, GrpcServer} from './grpc/grpc-server.ts'

export interface OpenGrpcPort {
  /** Accepts no new connections, but keeps the addresses for a successor. Call `close` next. */
  handOver(): readonly net.Server[]
  /** Takes no new calls; those under way may finish until `cut` is aborted. */
  close(cut?: AbortSignal): Promise<void>
}

/**
 * The gRPC port of a sidecar: HTTP/2 without TLS from the first byte on. Our settings go out at accept; what serves calls is
 * loaded with the first connection, so a run without gRPC does not pay for it.
 */
export const openGrpcPort = (servers: readonly net.Server[], context: GrpcContext): OpenGrpcPort => {
  const connections = new Connections()
  const destroy = (): void => connections.destroy()
  const loading = new Once<GrpcServer>()
  const accept = async (socket: net.Socket): Promise<void> => {
    // one of HTTP/2 who ends has left with all his streams
    socket.allowHalfOpen = false
    socket.pause().on('error', () => socket.destroy())
    socket.setNoDelay(true)
    socket.write(SERVER_GREETING, 'latin1')
    try {
      const server = await loading.do(async () => new (await import('./grpc/grpc-server.ts')).GrpcServer(context))
      server.serve(socket, isOnUnixSocket(socket))
    } catch (error) {
      context.sidecar.warn(bugText(error))
      socket.destroy()
    }
  }
  const open = servers.map(claim => {
    const server = net.createServer(socket => void accept(socket))
    connections.follow(server)
    attach(claim, server, context.sidecar.warn)
    return server
  })
  return {
    handOver: () => open.flatMap(server => takeOver(server, servers) ?? []),
    close: async cut => {
      for (const server of [...open, ...servers]) server.close()
      if (loading.begun === undefined || cut === undefined || cut.aborted) return destroy()
      cut.addEventListener('abort', destroy, {once: true})
      await (await loading.begun.catch(() => undefined))?.leave()
      cut.removeEventListener('abort', destroy)
      destroy()
    }
  }
}
