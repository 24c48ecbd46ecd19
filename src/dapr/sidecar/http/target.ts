import {badEscape, cleanPath, escapedPath, isPlainPath, unescapePath, unescapeQuery} from './go-path.ts'
import {goQuote} from './go-text.ts'
import {decoded} from '../../../model/bytes.ts'

/** The parts of a request's target, in latin1, as sent. */
export interface Sent {
  /** The authority of a target in absolute form, which replaces the Host header; '': another form. */
  readonly authority: string
  readonly path: string
  /** The query with its `?`; '': none. */
  readonly query: string
}

/** The callee and its method. */
export interface Target {
  /** The id as the caller wrote it, for messages. */
  readonly sentId: string
  readonly id: string
  readonly path: string
  /** Dapr's reason why id or path are invalid; '': they are valid. */
  readonly fault: string
}

/** Whether a path can only be an invocation, since no other route begins like it. */
export const isInvoke = (path: string): boolean => path.startsWith(INVOKE)

const ABSOLUTE = /^https?:\/\/([^/?#]*)/i

/** Splits a request's target. A fragment is dropped, and a `?` before it stays, as in Go's net/url. */
export const splitTarget = (target: string): Sent => {
  const absolute = target.startsWith('/') ? null : ABSOLUTE.exec(target)
  const rest = absolute === null ? target : target.slice(absolute[0].length) || '/'
  const flag = rest.indexOf('?')
  if (flag < 0) return {authority: absolute?.[1] ?? '', path: rest, query: ''}
  const hash = rest.indexOf('#', flag)
  const query = hash < 0 ? rest.slice(flag) : rest.slice(flag, hash)
  return {authority: absolute?.[1] ?? '', path: rest.slice(0, flag), query: query === '?' && hash < 0 ? '' : query}
}

/** Returns the app id of `http://dapr-app-id:<id>@localhost:3500/`; '' for other URLs (Dapr: findTargetIDAndMethod). */
export const idOfBasic = (authorization: string): string => {
  if (!authorization.startsWith('Basic ')) return ''
  const pair = Buffer.from(authorization.slice(6), 'base64').toString('latin1').split(':')
  return pair.length === 2 && pair[0]?.toLowerCase() === 'dapr-app-id' ? (pair[1] ?? '') : ''
}

/** The error with the `rpc error` prefix of Dapr's internal call. */
const invalidMethod = (why: string): string => `rpc error: code = InvalidArgument desc = invalid method: ${why}`

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0001-\u001f\u007f]/

/** Returns the reason why a method is invalid; '': it is valid (Dapr: pkg/messaging/method/normalize.go). */
export const methodFault = (method: string): string => {
  if (/[#?\0]/.test(method)) return `method contains forbidden character: ${goQuote(decoded(method))}`
  const control = CONTROL.exec(method)
  if (control === null) return ''
  return `method contains control character at position ${control.index}: ${goQuote(decoded(method))}`
}

/** Returns the path to send for a decoded method: cleaned, never above its root, escaped as Go does. `isUrl`: the callee speaks HTTP. */
const pathOf = (method: string, isUrl: boolean): {readonly path: string; readonly fault: string} => {
  const fault = methodFault(method)
  if (fault !== '') return {path: '', fault: invalidMethod(fault)}
  const cleaned = cleanPath(`/${method}`)
  const bad = badEscape(cleaned)
  if (bad !== undefined && isUrl)
    return {path: '', fault: `parse ${goQuote(decoded(cleaned))}: invalid URL escape ${goQuote(bad)}`}
  return {path: escapedPath(cleaned), fault: ''}
}

/** Returns the app of an id `app` or `app.namespace`. Namespaces have no meaning on one machine. */
const appOf = (sentId: string): {readonly id: string; readonly fault: string} => {
  // the id of an external endpoint is a URL, which contains dots
  if (/^https?:\/\//.test(sentId)) return {id: sentId, fault: ''}
  const parts = sentId.split('.')
  if (parts.length > 2) return {id: '', fault: `invalid app id ${decoded(sentId)}`}
  return {id: parts[0] ?? '', fault: ''}
}

/** Returns the target for an id and a decoded method, in latin1. `isUrl` false: the callee speaks gRPC, where `%` has no meaning. */
export const targetOf = (sentId: string, method: string, query: string, isUrl = true): Target => {
  const {id, fault} = appOf(sentId)
  const path = pathOf(method, isUrl)
  return {sentId: decoded(sentId), id: decoded(id), path: path.path + query, fault: fault || path.fault}
}

const PLAIN_ID = /^[\w-]+$/

const plain = (id: string, path: string, query: string): Target | undefined =>
  PLAIN_ID.test(id) ? {sentId: id, id, path: path + query, fault: ''} : undefined

const INVOKE = '/v1.0/invoke/'
const METHOD = '/method/'
const LOOSE_INVOKE = /^\/*v1\.0\/+invoke\/+/

/** Parses the path `/v1.0/invoke/<id>/method/<method>` without escapes. */
const plainTarget = (path: string, query: string): Target | undefined => {
  const end = path.startsWith(INVOKE) ? path.indexOf(METHOD, INVOKE.length) : -1
  return end < 0 ? undefined : plain(path.slice(INVOKE.length, end), path.slice(end + METHOD.length - 1), query)
}

const urlTarget = (unescaped: string, query: string): Target | undefined => {
  const prefix = LOOSE_INVOKE.exec(unescaped)
  if (prefix === null) return undefined
  const rest = unescaped.slice(prefix[0].length)
  const end = rest.indexOf(METHOD)
  if (end <= 0) return undefined
  const written = rest.slice(0, end)
  return targetOf(unescapeQuery(written) || written, cleanPath(rest.slice(end + METHOD.length)), query)
}

/** Finds the target of a plain path as `findTarget` does; undefined: `findTarget` has to look. */
export const findPlainTarget = (path: string, query: string, givenId: string): Target | undefined =>
  givenId === '' ? plainTarget(path, query) : plain(givenId, path, query)

const READ = /^\/v1\.0\/invoke\/([^/]+)\/method(?=\/)/

/** Finds the target of a request that another run's sidecar has parsed already. Its method is passed on unchanged. */
export const findReadTarget = ({path, query}: Sent): Target | undefined => {
  const [before = '', written = ''] = READ.exec(path) ?? []
  const id = decoded(unescapePath(written))
  return id === '' ? undefined : {sentId: id, id, path: path.slice(before.length) + query, fault: ''}
}

/**
 * Finds callee and method of a request; undefined: it names no app. `givenId`: the app id in a header or in basic auth, with which the
 * whole path is the method; '': the path names both. The path's escapes must be valid.
 */
export const findTarget = ({path, query}: Sent, givenId: string): Target | undefined => {
  if (isPlainPath(path)) {
    const target = findPlainTarget(path, query, givenId)
    if (target !== undefined) return target
  }
  const unescaped = unescapePath(path)
  return givenId === ''
    ? urlTarget(unescaped, query)
    : targetOf(givenId, cleanPath(unescaped).replace(/^\//, ''), query)
}
