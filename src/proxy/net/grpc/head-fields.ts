import {encodeField, encodeNamed} from '#h2-frames'
import {ownOf} from '../../../model/own.ts'
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

const MS: Readonly<Record<string, number>> = {H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001}
const TIMEOUT = /^(\d{1,8})([HMSmun])$/

/** `grpc-timeout` in ms; undefined if it is invalid (gRPC over HTTP/2, Timeout). */
export const timeoutMs = (text: string): number | undefined => {
  const [, digits = '', unit = ''] = TIMEOUT.exec(text) ?? []
  return digits === '' ? undefined : Number(digits) * (ownOf(MS, unit) ?? 0)
}

/** A time in ms as `grpc-timeout`, with the finest unit whose number has at most 8 digits. */
export const timeoutText = (ms: number): string => {
  const whole = Math.max(0, ms)
  if (whole < 99_999) return `${Math.ceil(whole * 1000)}u`
  if (whole < 99_999_999) return `${Math.ceil(whole)}m`
  return `${Math.min(99_999_999, Math.ceil(whole / 1000))}S`
}
