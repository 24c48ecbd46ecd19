import {isOf, PATH} from '../../net/http1/header-lines.ts'

/*
 * Paths as Go's net/url and path packages treat them: apps behind Dapr see what these leave of a request's target.
 * All texts are latin1, one character for one byte.
 */

const ESCAPE = /%(?:([0-9A-Fa-f]{2})|.{0,2})/gs
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2}).{0,2}/s

/** The first `%` and what follows it, where that is no escape; undefined = every escape is one. */
export const badEscape = (text: string): string | undefined => BAD_ESCAPE.exec(text)?.[0]

/** Each `%XX` as its byte (url.PathUnescape). To be asked `badEscape` before. */
export const unescapePath = (text: string): string =>
  text.replace(ESCAPE, (all, digits: string | undefined) =>
    digits === undefined ? all : String.fromCharCode(Number.parseInt(digits, 16))
  )

/** The same where `+` is a space (url.QueryUnescape); undefined for a bad escape. */
export const unescapeQuery = (text: string): string | undefined =>
  badEscape(text) === undefined ? unescapePath(text.replaceAll('+', ' ')) : undefined

/** Shortest equal path (path.Clean): no doubled or closing slash, no `.`, no `..` that can be resolved; '' is '.'. */
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

/** Nothing to decode, to clean or to escape: what most paths are. */
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

/** What a path may hold as it is (url.validEncoded), escapes aside. */
const VALID = /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/%]*$/
/** What Go writes as an escape when it has to write any. */
const ESCAPED = /[^A-Za-z0-9\-._~$&+,/:;=@]/g

const escapeOf = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** A path on the wire (url.EscapedPath): as it is where it may stand so, else decoded and escaped anew. */
export const escapedPath = (path: string): string =>
  VALID.test(path) ? path : unescapePath(path).replace(ESCAPED, escapeOf)
