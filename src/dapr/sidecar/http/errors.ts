import {FOREIGN_PAGE} from '../../../proxy/gateway/page-guard.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import type {BlockErrorDetails} from '../blocks/block-error.ts'
import {goJson, sortedByKey} from './go-text.ts'

/*
 * The sidecar's own error responses. Their bodies equal Dapr's byte for byte (pkg/messages/predefined.go, pkg/api/http/responses.go).
 */

const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'

export const EMPTY: Reply = {status: 204, type: '', body: '', lines: ''}

/** Returns an error as Dapr's HTTP API writes it. */
export const apiError = (status: number, errorCode: string, message: string, details?: BlockErrorDetails): Reply => {
  const body = goJson({errorCode, message, details: details && detailsOf(details)})
  return {status, type: JSON_TYPE, body, lines: ''}
}

const RPC = 'type.googleapis.com/google.rpc.'

/** Returns the details of an error as JSON, keys sorted (Dapr: kit/errors). */
function detailsOf({reason, metadata, resource, badField}: BlockErrorDetails): readonly object[] {
  const details: object[] = [
    {'@type': `${RPC}ErrorInfo`, domain: 'dapr.io', metadata: metadata && sortedByKey(metadata), reason}
  ]
  if (resource !== undefined)
    details.push({
      '@type': `${RPC}ResourceInfo`,
      description: resource.description,
      owner: '',
      resource_name: resource.name,
      resource_type: resource.type
    })
  if (badField !== undefined)
    details.push({
      '@type': `${RPC}BadRequest`,
      field_violations: [{description: badField.description, field: badField.field}]
    })
  return details
}

/** Returns the error of a call that failed before the app answered. */
export const invokeError = (sentId: string, error: string, status = 500): Reply =>
  apiError(status, 'ERR_DIRECT_INVOKE', `failed to invoke, id: ${sentId}, err: ${error}`)

const NO_APP_ID = 'failed getting app id either from the URL path or the header dapr-app-id'

/** Hint for a browser's preflight request (CORS), which does not have the headers of the request that will follow. */
const PREFLIGHT_HINT =
  ' [a browser sends OPTIONS without dapr-app-id: call /v1.0/invoke/<app id>/method/<path> instead]'

/** Returns the error of a request that is neither for the sidecar's own API nor names an app. */
export const noAppId = (method: string): Reply =>
  apiError(404, 'ERR_DIRECT_INVOKE', NO_APP_ID + (method === 'OPTIONS' ? PREFLIGHT_HINT : ''))

/** Returns the response for a gRPC app that cannot be reached: a gRPC status as JSON (Dapr: pkg/channel/grpc). */
export const unavailable = (message: string): Reply => ({
  status: 503,
  type: TEXT_TYPE,
  body: goJson({code: 14, message}),
  lines: ''
})

/** Returns Go's error for an address where nothing listens, with Pillion's reason. */
export const notListening = (address: string, reason: string): string =>
  `connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: connection refused" (${reason})`

/** Returns the response that Go's `http.Error` sends. */
export const plainError = (status: number, text: string): Reply => ({
  status,
  type: TEXT_TYPE,
  body: `${text}\n`,
  lines: 'X-Content-Type-Options: nosniff\r\n'
})

/** Response to a request whose path has an invalid escape. */
export const BAD_TARGET: Reply = {status: 400, type: TEXT_TYPE, body: '400 Bad Request', lines: ''}

export const INVALID_TOKEN = plainError(401, 'invalid api token')

export const FOREIGN_HOST = apiError(
  403,
  'ERR_FOREIGN_HOST',
  'this sidecar only accepts localhost, loopback addresses and the addresses it listens on: the Host header names another machine'
)

export const FOREIGN_ORIGIN = apiError(
  403,
  'ERR_FOREIGN_ORIGIN',
  'web pages of other origins may not change this run: the Origin or Sec-Fetch-Site header names one'
)

/** Response to a request that `PageGuard` refuses. */
export const REFUSED_PAGE = apiError(403, 'ERR_FOREIGN_ORIGIN', FOREIGN_PAGE)

/** Returns a method as Go's errors write it: `Get`. */
const verbOf = (method: string): string => method.slice(0, 1) + method.slice(1).toLowerCase()

interface ChannelFailure {
  readonly isLocal: boolean
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** `host:port` of the app. */
  readonly authority: string
  readonly path: string
  readonly why: string
}

/** Returns the text after `err: ` for a call that did not reach its app, or got no response. */
export const channelError = ({isLocal, method, scheme, authority, path, why}: ChannelFailure): string => {
  const text = `${verbOf(method)} "${scheme}://${authority}${path}": ${why}`
  return isLocal ? text : `rpc error: code = Internal desc = error invoking app channel: ${text}`
}
