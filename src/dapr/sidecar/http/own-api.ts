import type {Readable} from 'node:stream'
import {isCrossOrigin, type IsAllowedHost} from '../../../proxy/gateway/guards.ts'
import {bugText} from '../../../model/errors.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import type {HandleApi} from './api.ts'
import {FOREIGN_ORIGIN} from './errors.ts'
import type {OnPiece} from './middleware/filter.ts'
import type {SidecarOptions} from '../sidecar-options.ts'
import type {SidecarRequest} from './sidecar-request.ts'
import {traceLines} from './trace.ts'

/** A request to the sidecar's own API, over any version of HTTP. */
export interface OwnCall {
  readonly body: Readable
  readonly onPiece: OnPiece
  /** Closes the connection, or the stream. */
  readonly destroy: () => void
  readonly respond: (reply: Reply) => void
  /** Calls `then` when the response has been sent. */
  readonly finished: (then: () => void) => void
  /** Calls the listener when the caller has received the response, or disconnects. */
  readonly onGone: (listener: () => void) => void
}

/** Whether a shutdown is to skip the grace period, and to count as a failure (Dapr: pkg/api/http/shutdown.go). */
const isForced = (lines: string): boolean => /^dapr-force-shutdown:[ \t]*true[ \t]*\r?$/im.test(lines)

/** Answers requests to the sidecar itself: health, metadata, shutdown, building blocks. */
export const ownApi =
  (
    handle: HandleApi,
    isAllowedHost: IsAllowedHost,
    {requestShutdown, warn}: Pick<SidecarOptions, 'requestShutdown' | 'warn'>
  ) =>
  (parsed: SidecarRequest, {body, onPiece, destroy, respond, finished, onGone}: OwnCall): void => {
    const {protocol, action, headers, sent, trace} = parsed
    if (action === undefined) return
    const changesRun = action.kind === 'shutdown' || action.kind === 'put-metadata'
    if (changesRun && isCrossOrigin(headers.origin, headers.fetchSite, isAllowedHost)) return respond(FOREIGN_ORIGIN)
    if (action.kind === 'shutdown') finished(() => requestShutdown(isForced(headers.lines)))
    const lines = headers.lines + traceLines(headers)
    const answer = handle(action, {protocol, body, onPiece, query: sent.query, lines, trace, onGone})
    if (!(answer instanceof Promise)) return respond(answer)
    answer.then(respond).catch((error: unknown) => {
      warn(bugText(error))
      destroy()
    })
  }
