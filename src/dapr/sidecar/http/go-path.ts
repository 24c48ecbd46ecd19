import {isOf, PATH} from '../../../proxy/net/http1/header-kinds.ts'
import {decoded} from '../../../model/bytes.ts'

/*
 * Paths as Go's net/url and path packages process them: apps behind Dapr see the result of that.
 * All texts are latin1, one character for one byte.
 */

const ESCAPE = /%(?:([0-9A-Fa-f]{2})|.{0,2})/gs
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2}).{0,2}/s

/** The first invalid escape: its `%` and what follows; undefined: every escape is valid. */
export const badEscape = (text: string): string | undefined => BAD_ESCAPE.exec(text)?.[0]

/** Decodes each `%XX` to its byte (url.PathUnescape). Check with `badEscape` first. */
export const unescapePath = (text: string): string =>
  text.replace(ESCAPE, (all, digits: string | undefined) =>
    digits === undefined ? all : String.fromCharCode(Number.parseInt(digits, 16))
  )

/** Also decodes `+` to a space (url.QueryUnescape); undefined for an invalid escape. */
export const unescapeQuery = (text: string): string | undefined =>
  badEscape(text) === undefined ? unescapePath(text.replaceAll('+', ' ')) : undefined

/** A segment of a route's path as text. */
export const unescapeParam = (segment: string): string =>
  decoded(/[%+]/.test(segment) ? (unescapeQuery(segment) ?? segment) : segment)

/** The shortest equivalent path (path.Clean): no double or trailing slash, no `.`, no `..` that can be resolved; '' is '.'. */
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

/** Converts a method for an app of gRPC (Dapr: pkg/messaging/method/normalize.go, NormalizeMethod): cleans it, never above its root; a leading slash stays. */
export const cleanMethod = (method: string): string => {
  const cleaned = cleanPath(method).replace(/^(?:\.\.\/)+/, '')
  return cleaned === '.' || cleaned === '..' ? '' : cleaned
}

/** Whether a path needs no decoding, cleaning or escaping, as most paths. */
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

/** Characters that a path may contain unescaped (url.validEncoded), and escapes. */
const VALID = /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/%]*$/
/** The characters that Go escapes if it has to escape any. */
const ESCAPED = /[^A-Za-z0-9\-._~$&+,/:;=@]/g

const escapeOf = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** A path on the wire (url.EscapedPath): unchanged if it is valid, else decoded and escaped again. */
export const escapedPath = (path: string): string =>
  VALID.test(path) ? path : unescapePath(path).replace(ESCAPED, escapeOf)

/** Escapes a text as one path segment (url.PathEscape); `/` stays. */
export const escapedSegment = (text: string): string =>
  /^[\w\-.~]*$/.test(text) ? text : Buffer.from(text).toString('latin1').replace(ESCAPED, escapeOf)

/** Decodes a path segment; `+` stays (url.PathUnescape). */
export const segmentText = (segment: string): string =>
  decoded(segment.includes('%') && badEscape(segment) === undefined ? unescapePath(segment) : segment)
