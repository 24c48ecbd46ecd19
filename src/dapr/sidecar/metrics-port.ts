import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import {messageOf} from '../../model/errors.ts'
import {pageSignsOf, type PageGuard} from '../../proxy/gateway/page-guard.ts'
import type {IsAllowedHost} from '../../proxy/gateway/guards.ts'
import {Listener} from '../../proxy/net/http1/listener.ts'
import {endWith} from '../../proxy/net/http1/upgrade-tunnel.ts'
import {reply, type Reply} from '../../proxy/net/reply.ts'
import {FOREIGN_HOST, plainError, REFUSED_PAGE} from './http/errors.ts'

interface MetricsPort {
  /** Decide which clients may read the metrics. */
  readonly isAllowedHost: IsAllowedHost
  readonly pages: PageGuard
  /** Writes to the log of the sidecar. */
  readonly warn: (text: string) => void
}

/** Prometheus' text format 0.0.4. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const MAX_HEAD_BYTES = 16 * 1024

const NO_UPGRADE = plainError(400, 'upgrades are not possible')

/** Serves the metrics of a sidecar for any path; undefined: 404. Takes over listening servers. */
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
  // their code may not be loaded yet, and for a moment there may be no descriptor for its file
  const failed = (error: unknown): Reply => {
    const why = `the metrics cannot be read: ${messageOf(error)}`
    warn(why)
    return plainError(500, why)
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.resume()
    reply(request, response, await answerTo(request).catch(failed))
  }
  return new Listener({
    servers,
    maxHeadBytes: MAX_HEAD_BYTES,
    warn,
    serve: (request, response) => void serve(request, response),
    upgrade: (_request, socket) => endWith(socket, NO_UPGRADE)
  })
}
