import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import {attach} from '../net/claimed-server.ts'
import {http} from '../net/http1/node-http.ts'

/** Open ports of a sidecar. */
export interface OpenPort {
  /** Closes the ports and their connections. */
  close(): void
}

/** Prometheus' text format 0.0.4. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Serves the metrics of a sidecar for any path; undefined: 404. Takes over listening servers. */
export const openMetricsPort = (servers: readonly net.Server[], text: () => Promise<string | undefined>): OpenPort => {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.resume()
    const metrics = await text()
    const body = metrics ?? 'metrics are disabled\n'
    const headers = {'content-type': CONTENT_TYPE, 'content-length': Buffer.byteLength(body)}
    response.writeHead(metrics === undefined ? 404 : 200, headers).end(request.method === 'HEAD' ? '' : body)
  }
  const open = servers.map(claim => {
    const server = http.createServer((request, response) => void respond(request, response))
    attach(claim, server)
    return server
  })
  return {
    close: () => {
      for (const server of open) {
        server.close()
        server.closeAllConnections()
      }
    }
  }
}
