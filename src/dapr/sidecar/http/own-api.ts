import type {Readable} from 'node:stream'
import {isCrossOrigin, type IsAllowedHost} from '../../../proxy/gateway/guards.ts'
import {decoded} from '../../../model/bytes.ts'
import {bugText, messageOf, unreachable} from '../../../model/errors.ts'
import {LARGE_BODY, UncollectedBody, type Collector} from '../../../platform/collector.ts'
import {collectAfter} from '../../../platform/heap.ts'
import {collectRequest} from '../../../proxy/net/http1/collect-request.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import type {BlockRequest} from '../operations/block-request.ts'
import type {SidecarOptions} from '../sidecar-options.ts'
import {apiError, EMPTY, FOREIGN_ORIGIN} from './errors.ts'
import type {OnPiece} from './middleware/middleware.ts'
import type {CallBlock} from './plain-block.ts'
import type {RouteAction} from './routes.ts'
import type {SidecarRequest} from './sidecar-request.ts'
import {traceLines} from './trace.ts'

/** The body of a request to the sidecar's own API, and how it is answered, over any version of HTTP. */
export interface OwnCall {
  readonly body: Readable
  /** Changes of middleware to the body. */
  readonly onPiece: OnPiece
  readonly destroy: () => void
  readonly respond: (reply: Reply) => void
  readonly finished: (then: () => void) => void
  /** Calls the listener when the caller has received the response, or disconnects. */
  readonly onGone: BlockRequest['onGone']
}

interface OwnApiParts extends Pick<
  SidecarOptions,
  'appId' | 'facts' | 'wasReady' | 'limits' | 'requestShutdown' | 'warn'
> {
  readonly callBlock: CallBlock
  readonly customMetadata: Map<string, string>
  readonly isAllowedHost: IsAllowedHost
}

type UseBody = (body: Buffer) => Reply | Promise<Reply>

const NOT_READY = apiError(500, 'ERR_HEALTH_NOT_READY', 'dapr is not ready: [runtime]')
const OTHER_APP = apiError(500, 'ERR_HEALTH_APPID_NOT_MATCH', 'dapr app-id does not match')

/** Whether a shutdown request asks to skip the grace period, which counts as a failure (Dapr: pkg/api/http/shutdown.go). */
const isForced = (lines: string): boolean => /^dapr-force-shutdown:[ \t]*true[ \t]*\r?$/im.test(lines)

/** Answers requests to the sidecar itself: health, metadata, shutdown, building blocks. */
export class OwnApi {
  readonly #parts: OwnApiParts

  constructor(parts: OwnApiParts) {
    this.#parts = parts
  }

  answer(action: RouteAction, request: SidecarRequest, call: OwnCall): void {
    const {isAllowedHost, requestShutdown, warn} = this.#parts
    const {headers} = request
    const {respond, finished, destroy} = call
    const changesRun = action.kind === 'shutdown' || action.kind === 'put-metadata'
    if (changesRun && isCrossOrigin(headers.origin, headers.fetchSite, isAllowedHost)) return respond(FOREIGN_ORIGIN)
    if (action.kind === 'shutdown') finished(() => requestShutdown(isForced(headers.lines)))
    const answer = this.#replyTo(action, request, call)
    if (!(answer instanceof Promise)) return respond(answer)
    answer.then(respond).catch((error: unknown) => {
      warn(bugText(error))
      destroy()
    })
  }

  /** Returns the response, or a promise if code has to be loaded or the body to be read. */
  #replyTo(action: RouteAction, request: SidecarRequest, call: OwnCall): Reply | Promise<Reply> {
    const {appId, facts, callBlock, customMetadata} = this.#parts
    const {protocol, headers, sent, trace} = request
    switch (action.kind) {
      case 'health':
        return this.#health(sent.query)
      case 'metadata':
        return import('./metadata.ts').then(({metadataText}) => {
          return {status: 200, type: 'application/json', body: metadataText(appId, facts(), customMetadata), lines: ''}
        })
      case 'put-metadata':
        return this.#withBody(call, body => {
          customMetadata.set(action.key, body.toString())
          return EMPTY
        })
      case 'block': {
        const lines = headers.lines + traceLines(headers)
        const {params} = action
        const {onGone} = call
        return this.#withBody(call, async body =>
          callBlock(action.call, {protocol, params, query: sent.query, lines, trace, body, onGone})
        )
      }
      case 'outbound-health':
      case 'shutdown':
        return EMPTY
      default:
        return unreachable(action)
    }
  }

  #health(query: string): Reply {
    if (!this.#parts.wasReady()) return NOT_READY
    const wanted = new URLSearchParams(decoded(query)).get('appid')
    return wanted === null || wanted === this.#parts.appId ? EMPTY : OTHER_APP
  }

  /** Reads the body, and calls `use` with it. Resolves with an error response if the body cannot be read. */
  async #withBody({body: bytes, onPiece}: OwnCall, use: UseBody): Promise<Reply> {
    let body: Collector
    try {
      body = await collectRequest(bytes, this.#parts.limits.maxBodyBytes)
    } catch (error) {
      const status = error instanceof UncollectedBody && !error.isTooLarge ? 503 : 400
      return apiError(status, 'ERR_BODY_READ', `failed to read request body: ${messageOf(error)}`)
    }
    const {size} = body
    try {
      onPiece?.(body.whole())
      return await use(body.whole())
    } finally {
      body.release()
      if (size >= LARGE_BODY) collectAfter(size)
    }
  }
}
