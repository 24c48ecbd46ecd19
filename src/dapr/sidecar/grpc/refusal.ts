import {baggageFault} from '../http/baggage.ts'
import {FOREIGN_PAGE, type PageGuard} from '../../../proxy/gateway/page-guard.ts'
import {isToken} from '../../../proxy/gateway/guards.ts'
import type {Tracing} from '../http/sidecar-request.ts'
import {withErrorInfo} from '../../../proxy/net/grpc/error-info.ts'
import type {RequestHead} from './request-head.ts'
import {
  DEADLINE_EXCEEDED,
  INTERNAL,
  INVALID_ARGUMENT,
  PERMISSION_DENIED,
  UNAUTHENTICATED,
  UNIMPLEMENTED,
  type GrpcStatus
} from '../../../proxy/net/grpc/status.ts'
import {timeoutMs} from '../../../proxy/net/grpc/head-fields.ts'

/** The checks of calls at the gRPC port of one sidecar. */
export interface GrpcGuards {
  readonly isAllowedHost: (authority: string) => boolean
  /** DAPR_API_TOKEN; '': none. */
  readonly apiToken: string
  /** Whether calls are traced. Only then is their baggage checked. */
  readonly tracing: Tracing
  readonly pages: PageGuard
}

interface GrpcRefusal {
  readonly httpStatus: number
  readonly status: GrpcStatus
}

const refusal = (httpStatus: number, code: number, message: string): GrpcRefusal => ({
  httpStatus,
  status: {code, message}
})

/** Matches `/service/method`. The service may contain slashes (grpc-go: server.go). */
const METHOD_NAME = /^\/.+\/[^/]*$/
const CONTENT_TYPE = /^application\/grpc(?:[+;].*)?$/

const unauthorized = (why: string): GrpcRefusal => ({
  httpStatus: 200,
  status: withErrorInfo(UNAUTHENTICATED, 'Unauthorized', {
    reason: 'Unauthorized',
    metadata: {'http.code': '401', 'http.error_message': why}
  })
})

const badToken = ({token}: RequestHead, apiToken: string): GrpcRefusal | undefined => {
  if (apiToken === '') return undefined
  if (token === undefined) return unauthorized('missing api token in request metadata')
  return isToken(token, apiToken) ? undefined : unauthorized('authentication error: api token mismatch')
}

/** Checks the head of a call. Returns the refusal with grpc-go's HTTP status, code and words; undefined: the call is accepted. */
export const refusalOf = (
  head: RequestHead,
  {isAllowedHost, apiToken, tracing}: GrpcGuards
): GrpcRefusal | undefined => {
  const {method, path, contentType, timeout, authority, baggage} = head
  if (!CONTENT_TYPE.test(contentType))
    return refusal(415, INVALID_ARGUMENT, `invalid gRPC request content-type ${JSON.stringify(contentType)}`)
  if (method !== 'POST')
    return refusal(405, INTERNAL, `Received a HEADERS frame with :method "${method}" which should be POST`)
  if (!METHOD_NAME.test(path)) return refusal(200, UNIMPLEMENTED, `malformed method name: "${path}"`)
  if (head.isBadBinary) return refusal(400, INTERNAL, 'malformed binary metadata: illegal base64 data')
  const ms = timeout === '' ? Infinity : timeoutMs(timeout)
  if (ms === undefined) return refusal(400, INTERNAL, `malformed grpc-timeout: ${timeout}`)
  if (authority !== '' && !isAllowedHost(authority)) return refusal(200, PERMISSION_DENIED, FOREIGN_HOST)
  const wrongToken = badToken(head, apiToken)
  if (wrongToken !== undefined) return wrongToken
  if (ms === 0) return refusal(200, DEADLINE_EXCEEDED, 'context deadline exceeded')
  const fault = tracing.isTracing ? baggageFault(baggage) : ''
  return fault === '' ? undefined : refusal(200, INVALID_ARGUMENT, `invalid baggage header: ${fault}`)
}

/** The status for a call that a web page of another origin may have sent. */
export const PAGE_DENIED: GrpcStatus = {code: PERMISSION_DENIED, message: FOREIGN_PAGE}

const FOREIGN_HOST =
  'this sidecar answers only to localhost, loopback addresses and the addresses it listens on: :authority names another machine'
