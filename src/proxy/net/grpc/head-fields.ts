import {encodeField, encodeNamed} from '#h2-frames'
import {ownOf} from '../../../model/own.ts'
import type {Pool} from '../pool.ts'

export const ON_INVOKE = '/dapr.proto.runtime.v1.AppCallback/OnInvoke'

/** Matches names of HTTP headers that get the prefix `dapr-` as metadata (Dapr: pkg/messaging/v1/util.go, isPermanentHTTPHeader). */
export const PERMANENT_HEADER =
  /^(?:accept(?:-charset|-language|-ranges)?|cache-control|content-type|content-length|cookie|date|expect|from|host|if-.*|max-forwards|origin|pragma|referer|via|warning)$/

const POST_HTTP = '\u0083\u0086'
const POST_HTTPS = '\u0083\u0087'
const AUTHORITY = 1
const PATH = 4
const CONTENT_TYPE = 31
const TE = encodeField('te', 'trailers')

/** Whether connections of a pool use TLS. */
export const isSecure = ({protocol}: Pick<Pool, 'protocol'>): boolean => protocol === 'grpcs' || protocol === 'https'

/** Returns the first fields of a gRPC call: method, scheme, path, authority, content type and `te`. */
export const headFields = (pool: Pick<Pool, 'protocol' | 'authority'>, path: string, contentType: string): string => {
  const authority = encodeNamed(AUTHORITY, pool.authority)
  const type = encodeNamed(CONTENT_TYPE, contentType)
  return `${isSecure(pool) ? POST_HTTPS : POST_HTTP}${encodeNamed(PATH, path)}${authority}${type}${TE}`
}

const MS: Readonly<Record<string, number>> = {H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001}
const TIMEOUT = /^(\d{1,8})([HMSmun])$/

/** Returns a value of `grpc-timeout` in ms; undefined: invalid (gRPC over HTTP/2, Timeout). */
export const timeoutMs = (text: string): number | undefined => {
  const [, digits = '', unit = ''] = TIMEOUT.exec(text) ?? []
  return digits === '' ? undefined : Number(digits) * (ownOf(MS, unit) ?? 0)
}

/** Returns a time in ms as a value of `grpc-timeout`, rounded up, in the finest of µs, ms and s that needs at most 8 digits. */
export const timeoutText = (ms: number): string => {
  const whole = Math.max(0, ms)
  if (whole < 99_999) return `${Math.ceil(whole * 1000)}u`
  if (whole < 99_999_999) return `${Math.ceil(whole)}m`
  return `${Math.min(99_999_999, Math.ceil(whole / 1000))}S`
}
