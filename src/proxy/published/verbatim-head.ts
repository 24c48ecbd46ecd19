import type {RoutePlan} from '../../model/plan.ts'
import {CODING, CONNECTION, KEEP, LENGTH, TOKEN, VALUE} from '../net/http1/header-kinds.ts'
import {trimmed, wordsOf} from '../net/http1/header-lines.ts'
import {isOf, lengthOf, nameReader} from '../net/http1/header-kinds.ts'
import {HEAD_LIMIT} from '../net/http1/response-head.ts'

/** Head of an HTTP/1 request that is sent to the app unchanged, with the facts that show where the request ends. */
export interface VerbatimHead {
  readonly method: string
  /** The target as it was sent, with the query. */
  readonly target: string
  /** The target without the query. */
  readonly path: string
  /** The header lines, each with its CRLF. */
  readonly lines: string
  /** Bytes of the body; 0: none, -1: chunked. */
  readonly length: number
  /** Whether the caller may send another request on the connection. */
  readonly keep: boolean
  /** Whether the request asks to switch the connection's protocol. */
  readonly asksForSwitch: boolean
  /** Whether it has a `traceparent`. */
  readonly hasTrace: boolean
  /** Bytes of the head. */
  readonly size: number
  /** Begins with the head. */
  readonly text: string
}

const UPGRADE = 6
const TRACEPARENT = 7

const kinds = nameReader({
  'content-length': LENGTH,
  'transfer-encoding': CODING,
  connection: CONNECTION,
  upgrade: UPGRADE,
  traceparent: TRACEPARENT
})

const FIRST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([^\0-\x20\x7f]+) HTTP\/1\.([01])\r\n/
/** Matches an incomplete first line that more bytes may complete. */
const HALF_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?: [^\0-\x20\x7f]*(?: [HTP/1.0]*\r?)?)?$/

interface Lines {
  length: number
  isChunked: boolean
  keep: boolean
  asksForSwitch: boolean
  hasTrace: boolean
}

/** Records one header line. Returns false if two programs could read the end of the request in different ways. */
function note(lines: Lines, kind: number, value: string): boolean {
  switch (kind) {
    case LENGTH:
      if (lines.length >= 0) return false
      lines.length = lengthOf(value)
      return lines.length >= 0
    case CODING:
      if (lines.isChunked || value.toLowerCase() !== 'chunked') return false
      lines.isChunked = true
      return true
    case CONNECTION:
      for (const word of wordsOf(value)) {
        if (word === 'close') lines.keep = false
        else if (word === 'keep-alive') lines.keep = true
      }
      return true
    case UPGRADE:
      lines.asksForSwitch = true
      return true
    default:
      lines.hasTrace = true
      return true
  }
}

/**
 * Reads the head of a request at the start of latin1 text. Returns undefined until the head is complete. Returns false for other protocols,
 * and for HTTP/1 that programs read in different ways: the connection then passes as bytes.
 */
export function readVerbatimHead(text: string): VerbatimHead | undefined | false {
  const more = text.length >= HEAD_LIMIT ? false : undefined
  const first = FIRST_LINE.exec(text)
  if (first === null) return HALF_LINE.test(text) ? more : false
  const [line, method = '', target = '', minor] = first
  const lines: Lines = {length: -1, isChunked: false, keep: minor === '1', asksForSwitch: false, hasTrace: false}
  let at = line.length
  while (text.charCodeAt(at) !== 13) {
    const start = at
    while (isOf(text.charCodeAt(at), TOKEN)) at++
    if (at >= text.length) return more
    if (at === start || text.charCodeAt(at) !== 58) return false
    const kind = kinds(text, start, at)
    const value = ++at
    while (isOf(text.charCodeAt(at), VALUE)) at++
    if (at + 1 >= text.length) return more
    if (text.charCodeAt(at) !== 13 || text.charCodeAt(at + 1) !== 10) return false
    if (kind !== KEEP && !note(lines, kind, trimmed(text, value, at))) return false
    at += 2
  }
  if (at + 1 >= text.length) return more
  const isTunnel = method === 'CONNECT' || (lines.isChunked && (lines.length >= 0 || minor === '0'))
  if (text.charCodeAt(at + 1) !== 10 || isTunnel) return false
  return {
    method,
    target,
    path: target.split('?', 1)[0] ?? target,
    lines: text.slice(line.length, at),
    length: lines.isChunked ? -1 : Math.max(0, lines.length),
    keep: lines.keep,
    asksForSwitch: lines.asksForSwitch,
    hasTrace: lines.hasTrace,
    size: at + 2,
    text
  }
}

/** Returns the head of a request with a prefix removed from its path. */
export function strippedHead(head: VerbatimHead, prefix: string): VerbatimHead {
  if (prefix === '/') return head
  const cut = (target: string): string => {
    const rest = target.slice(prefix.length)
    return rest.startsWith('/') ? rest : `/${rest}`
  }
  const {method, path, size} = head
  const target = cut(head.target)
  const text = `${method} ${target}${head.text.slice(method.length + 1 + head.target.length, size)}`
  return {...head, target, path: cut(path), text, size: text.length}
}

/** Returns the route of a path; undefined: the app itself answers. A prefix ends at a slash: `/api` does not match `/apis`. */
export const routeOf = (routes: readonly RoutePlan[], path: string): RoutePlan | undefined =>
  routes.find(({prefix}) => prefix === '/' || path === prefix || path.startsWith(`${prefix}/`))
