import {once} from 'node:events'
import http from 'node:http'
import type {AddressInfo} from 'node:net'
import type {Test} from 'tap'

export interface Span {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly kind: string
  readonly localEndpoint: {readonly serviceName: string}
  readonly tags: Readonly<Record<string, string>>
}

/** Zipkin's API; `answers` false: it takes requests and never answers. */
export const zipkin = async (t: Test, answers = true): Promise<{url: string; spans: Span[]}> => {
  const spans: Span[] = []
  const server = http.createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      spans.push(...(JSON.parse(Buffer.concat(pieces).toString()) as Span[]))
      if (answers) response.writeHead(202).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2/spans`, spans}
}
