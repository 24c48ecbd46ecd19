import {isOf, PATH} from '../../../proxy/net/http1/header-kinds.ts'
import {decoded} from '../../../model/bytes.ts'

/*
 * Processes paths as Go's packages net/url and path do, so that apps get the same paths as behind Dapr.
 * All texts are latin1, one character for one byte.
 */

const ESCAPE = /%(?:([0-9A-Fa-f]{2})|.{0,2})/gs
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2}).{0,2}/s

/** Returns the first invalid escape: its `%` and up to two characters; undefined: every escape is valid. */
export const badEscape = (text: string): string | undefined => BAD_ESCAPE.exec(text)?.[0]

/** Decodes each `%XX` to its byte (url.PathUnescape). Leaves invalid escapes as they are. */
export const unescapePath = (text: string): string =>
  text.replace(ESCAPE, (all, digits: string | undefined) =>
    digits === undefined ? all : String.fromCharCode(Number.parseInt(digits, 16))
  )

/** Decodes `%XX`, and `+` to a space (url.QueryUnescape); undefined: an escape is invalid. */
export const unescapeQuery = (text: string): string | undefined =>
  badEscape(text) === undefined ? unescapePath(text.replaceAll('+', ' ')) : undefined

/** Decodes a segment of a route's path to text. `+` becomes a space. */
export const unescapeParam = (segment: string): string =>
  decoded(/[%+]/.test(segment) ? (unescapeQuery(segment) ?? segment) : segment)

/** Returns the shortest equivalent path (path.Clean): without double or trailing slashes, `.`, and `..` that can be resolved. Returns `.` for ''. */
export const cleanPath = (path: string): string => {
  const isRooted = path.startsWith('/')
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') kept.push(segment)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!isRooted) kept.push('..')
  }
  const cleaned = (isRooted ? '/' : '') + kept.join('/')
  return cleaned === '' ? '.' : cleaned
}

/** Cleans a method for a gRPC app. Leading `..` are dropped, a leading slash stays (Dapr: pkg/messaging/method/normalize.go, NormalizeMethod). */
export const cleanMethod = (method: string): string => {
  const cleaned = cleanPath(method).replace(/^(?:\.\.\/)+/, '')
  return cleaned === '.' || cleaned === '..' ? '' : cleaned
}

/** Whether a path needs no decoding, cleaning or escaping. Most paths need none. */
export const isPlainPath = (path: string): boolean => {
  const last = path.length - 1
  if (path.charCodeAt(0) !== 47 || (last > 0 && path.charCodeAt(last) === 47)) return false
  for (let at = 0; at <= last; at++) {
    const byte = path.charCodeAt(at)
    if (!isOf(byte, PATH)) return false
    if (byte === 47 && (path.charCodeAt(at + 1) === 47 || path.charCodeAt(at + 1) === 46)) return false
  }
  return true
}

/** Matches a path without characters that have to be escaped (url.validEncoded). */
const VALID = /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/%]*$/
/** Matches the characters that Go escapes in a path with at least one that has to be escaped. */
const ESCAPED = /[^A-Za-z0-9\-._~$&+,/:;=@]/g

const escapeOf = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** Escapes a path for a request (url.EscapedPath): unchanged if it is valid, else decoded and escaped again. */
export const escapedPath = (path: string): string =>
  VALID.test(path) ? path : unescapePath(path).replace(ESCAPED, escapeOf)

/** Escapes a text for a path (url.PathEscape). `/` stays. */
export const escapedSegment = (text: string): string =>
  /^[\w\-.~]*$/.test(text) ? text : Buffer.from(text).toString('latin1').replace(ESCAPED, escapeOf)

/** Decodes a path segment to text (url.PathUnescape). `+` stays. */
export const segmentText = (segment: string): string =>
  decoded(segment.includes('%') && badEscape(segment) === undefined ? unescapePath(segment) : segment)
