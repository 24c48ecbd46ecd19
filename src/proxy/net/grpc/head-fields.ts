import {encodeField, encodeNamed} from '#h2-frames'
import type {Pool} from '../pool.ts'

export const ON_INVOKE = '/dapr.proto.runtime.v1.AppCallback/OnInvoke'

/** HTTP's own names, which may not be mistaken for metadata: they get `dapr-` (pkg/messaging/v1/util.go, isPermanentHTTPHeader). */
export const PERMANENT_HEADER =
  /^(?:accept(?:-charset|-language|-ranges)?|cache-control|content-type|content-length|cookie|date|expect|from|host|if-.*|max-forwards|origin|pragma|referer|via|warning)$/

const POST_HTTP = '\u0083\u0086'
const POST_HTTPS = '\u0083\u0087'
const AUTHORITY = 1
const PATH = 4
const CONTENT_TYPE = 31
const TE = encodeField('te', 'trailers')

/** Whether its connections use TLS. */
export const isSecure = ({protocol}: Pick<Pool, 'protocol'>): boolean => protocol === 'grpcs' || protocol === 'https'

/** Returns the first fields of a call: those of HTTP/2, and the content type of gRPC. */
export const headFields = (pool: Pick<Pool, 'protocol' | 'authority'>, path: string, contentType: string): string => {
  const authority = encodeNamed(AUTHORITY, pool.authority)
  const type = encodeNamed(CONTENT_TYPE, contentType)
  return `${isSecure(pool) ? POST_HTTPS : POST_HTTP}${encodeNamed(PATH, path)}${authority}${type}${TE}`
}
