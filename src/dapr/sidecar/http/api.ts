import type {Readable} from 'node:stream'
import {messageOf, unreachable} from '../../../model/errors.ts'
import {LARGE_BODY, UncollectedBody, type Collector} from '../../../platform/collector.ts'
import {collectRequest} from '../../../proxy/net/http1/collect-request.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {collectAfter} from '../../../platform/heap.ts'
import type {CallBlock} from './plain-block.ts'
import type {BlockRequest} from '../operations/block-request.ts'
import {decoded} from '../../../model/bytes.ts'
import {apiError, EMPTY} from './errors.ts'
import type {OnPiece} from './middleware/filter.ts'
import type {SidecarOptions} from '../sidecar-options.ts'
import type {RouteAction} from './routes.ts'

/** Responds to a request to the sidecar's own API; a promise if its body has to be read first. */
export type HandleApi = (action: RouteAction, request: DaprRequest) => Reply | Promise<Reply>

/** The parts of a request other than its path. */
interface DaprRequest extends Pick<BlockRequest, 'protocol' | 'query' | 'lines' | 'trace' | 'onGone'> {
  readonly body: Readable
  readonly onPiece: OnPiece
}

type UseBody = (body: Buffer) => Reply | Promise<Reply>

const notReady = apiError(500, 'ERR_HEALTH_NOT_READY', 'dapr is not ready: [runtime]')
const otherApp = apiError(500, 'ERR_HEALTH_APPID_NOT_MATCH', 'dapr app-id does not match')

/** The sidecar's own API for one app. `custom`: metadata that was set over HTTP or gRPC, kept as long as the sidecar. */
export const createApi = (
  {appId, facts, wasReady, limits: {maxBodyBytes}}: SidecarOptions,
  callBlock: CallBlock,
  custom: Map<string, string>
): HandleApi => {
  const health = (query: string): Reply => {
    if (!wasReady()) return notReady
    const wanted = new URLSearchParams(decoded(query)).get('appid')
    return wanted === null || wanted === appId ? EMPTY : otherApp
  }
  // an error response if it cannot be read
  const withBody = async ({body: bytes, onPiece}: DaprRequest, use: UseBody): Promise<Reply> => {
    let body: Collector
    try {
      body = await collectRequest(bytes, maxBodyBytes)
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
  return (action, request) => {
    switch (action.kind) {
      case 'health':
        return health(request.query)
      case 'metadata':
        return import('./metadata.ts').then(({metadataText}) => {
          return {status: 200, type: 'application/json', body: metadataText(appId, facts(), custom), lines: ''}
        })
      case 'put-metadata':
        return withBody(request, body => {
          custom.set(action.key, body.toString())
          return EMPTY
        })
      case 'block':
        return withBody(request, async body => callBlock(action.call, {...request, params: action.params, body}))
      case 'outbound-health':
      case 'shutdown':
        return EMPTY
      default:
        return unreachable(action)
    }
  }
}
