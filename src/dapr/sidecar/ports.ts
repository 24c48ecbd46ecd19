import type {IncomingMessage, ServerResponse} from 'node:http'
import net from 'node:net'
import {pageSignsOf, type PageGuard} from '../../proxy/gateway/page-guard.ts'
import type {IsAllowedHost} from '../../proxy/gateway/guards.ts'
import {Listener} from '../../proxy/net/http1/listener.ts'
import {endWith} from '../../proxy/net/http1/upgrade-tunnel.ts'
import {reply, type Reply} from '../../proxy/net/reply.ts'
import {FOREIGN_HOST, plainError, REFUSED_PAGE} from './http/errors.ts'
import {SERVER_GREETING} from '#h2-frames'
import {attach, isOnUnixSocket, takeOver} from '../../proxy/net/claimed-server.ts'
import {Connections} from '../../proxy/net/connections.ts'
import {Once} from '../../model/once.ts'
import type {GrpcContext, GrpcServer} from './grpc/grpc-server.ts'

interface MetricsPort {
  readonly isAllowedHost: IsAllowedHost
  readonly pages: PageGuard
  /** Writes to the log of the sidecar. */
  readonly warn: (text: string) => void
}

/** Prometheus' text format 0.0.4. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const MAX_HEAD_BYTES = 16 * 1024

const NO_UPGRADE = plainError(400, 'upgrades are not possible')

/** Serves the metrics of a sidecar, whatever the path. `text` undefined: metrics are disabled, so it answers 404. Takes over listening servers. */
export const openMetricsPort = (
  servers: readonly net.Server[],
  text: () => Promise<string | undefined>,
  {isAllowedHost, pages, warn}: MetricsPort
): Pick<Listener, 'handOver' | 'destroy'> => {
  const answerTo = async ({rawHeaders, headers, socket}: IncomingMessage): Promise<Reply> => {
    const {host = ''} = headers
    if (host !== '' && !isAllowedHost(host)) return FOREIGN_HOST
    if (pages.isForeign(pageSignsOf(rawHeaders)) && !(await pages.admits(socket, socket, false))) return REFUSED_PAGE
    const metrics = await text()
    const body = metrics ?? 'metrics are disabled\n'
    return {status: metrics === undefined ? 404 : 200, type: CONTENT_TYPE, body, lines: ''}
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.resume()
    reply(request, response, await answerTo(request))
  }
  return new Listener({
    servers,
    maxHeadBytes: MAX_HEAD_BYTES,
    warn,
    serve: (request, response) => void serve(request, response),
    upgrade: (_request, socket) => endWith(socket, NO_UPGRADE)
  })
}

export interface OpenGrpcPort {
  /** Stops accepting connections, and returns the listening servers for the next sidecar. Call `close` next. */
  handOver(): readonly net.Server[]
  /** Stops accepting calls. Open calls may finish until `cut` is aborted. */
  close(cut?: AbortSignal): Promise<void>
}

/**
 * Opens the gRPC port of a sidecar: HTTP/2 without TLS from the first byte on. A new connection gets the settings of HTTP/2 at once.
 * The first connection loads the code, so that a run without gRPC does not load it.
 */
export const openGrpcPort = (servers: readonly net.Server[], context: GrpcContext): OpenGrpcPort => {
  const connections = new Connections()
  const destroy = (): void => connections.destroy()
  const loading = new Once<GrpcServer>()
  const accept = async (socket: net.Socket): Promise<void> => {
    // an HTTP/2 client that ends its side of the connection needs no more answers
    socket.allowHalfOpen = false
    socket.pause().on('error', () => socket.destroy())
    socket.setNoDelay(true)
    socket.write(SERVER_GREETING, 'latin1')
    const server = await loading.do(async () => new (await import('./grpc/grpc-server.ts')).GrpcServer(context))
    server.serve(socket, isOnUnixSocket(socket))
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
      await (await loading.begun).leave()
      cut.removeEventListener('abort', destroy)
      destroy()
    }
  }
}
