import type net from 'node:net'
import {attach} from '../net/claimed-server.ts'
import {http} from '../net/http1/node-http.ts'

/** Open ports of a sidecar. */
export interface OpenPort {
  /** Closes the ports and their connections. */
  close(): void
}

/** Serves the metrics port until there are metrics: 200 and empty for any path. Takes over listening servers. */
export const openMetricsPort = (servers: readonly net.Server[]): OpenPort => {
  const open = servers.map(claim => {
    const server = http.createServer((request, response) => {
      request.resume()
      response.writeHead(200, {'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': 0}).end()
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
