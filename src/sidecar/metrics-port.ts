import type net from 'node:net'
import {attach} from '../net/claimed-server.ts'
import {http} from '../net/http1/node-http.ts'
import {SidecarMetrics} from '../telemetry/metrics/sidecar-metrics.ts'

/** Open ports of a sidecar. */
export interface OpenPort {
  /** Closes the ports and their connections. */
  close(): void
}

/** Serves the metrics of a sidecar for any path, made when they are asked for; undefined: 404. Takes over listening servers. */
export const openMetricsPort = (servers: readonly net.Server[], text: () => string | undefined): OpenPort => {
  const open = servers.map(claim => {
    const server = http.createServer((request, response) => {
      request.resume()
      const metrics = text()
      const body = metrics ?? 'metrics are disabled\n'
      const headers = {'content-type': SidecarMetrics.CONTENT_TYPE, 'content-length': Buffer.byteLength(body)}
      response.writeHead(metrics === undefined ? 404 : 200, headers).end(request.method === 'HEAD' ? '' : body)
    })
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
