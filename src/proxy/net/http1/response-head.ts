import {CODING, CONNECTION, DROP, HOP_BY_HOP, KEEP, LENGTH, MARKED, RENAME, TOKEN, VALUE} from './header-kinds.ts'
import {trimmed, withoutHeaders, wordsOf} from './header-lines.ts'
import {isOf, lengthOf, nameReader, type HeaderKinds} from './header-kinds.ts'

/** Length of a body that is chunked. */
export const CHUNKED = -1
/** Length of a body that ends with its connection. */
export const UNTIL_CLOSE = -2

/** Maximum size of a head. Longer ones are invalid. */
export const HEAD_LIMIT = 65_536

/** Maximum number of interim responses (1xx) before the final one (Go: max1xxResponses). */
export const MAX_INTERIM = 5
export const TOO_MANY_INTERIM = 'net/http: too many 1xx informational responses'

/** A parsed response head: the lines for the caller, and the length of the body. */
export interface ResponseHead {
  readonly status: number
  /** Header lines for the caller, each with its CRLF, without hop-by-hop headers and Transfer-Encoding. */
  readonly lines: string
  /** Bits of the marked headers (`MARKED`) that are present. */
  readonly flags: number
  /** Length of the body, or `CHUNKED`, or `UNTIL_CLOSE`. */
  readonly left: number
  /** Whether the connection can be reused afterwards. */
  readonly keep: boolean
  /** Size of the head. */
  readonly size: number
  /** Text that begins with the original head. */
  readonly text: string
}

/** Treatments of headers, by HTTP's rules and by the kind of call. */
export interface HeaderRules {
  readonly kinds: HeaderKinds
  /** Prefix for the names of headers of kind `RENAME`. */
  readonly prefix: string
}

/** Treatments of response headers by HTTP's rules for proxies. */
export const RESPONSE_KINDS: Readonly<Record<string, number>> = {
  ...HOP_BY_HOP,
  'content-length': LENGTH,
  'transfer-encoding': CODING,
  connection: CONNECTION,
  upgrade: DROP
}

export const PLAIN_RULES: HeaderRules = {kinds: nameReader(RESPONSE_KINDS), prefix: ''}

const STATUS_LINE = /^HTTP\/1\.[01] \d{3}(?: [\t -~\x80-\xff]*)?$/

/** State of parsing header lines. */
interface Lines {
  kept: string
  flags: number
  length: number
  chunked: boolean
  keep: boolean
  named: string[]
  /** Index of the empty line; -1: incomplete; -2: invalid. */
  end: number
}

/** Headers dropped from responses without a body (Go: suppressedHeaders of net/http). */
const DROPPED_FROM_204 = ['content-length']
const DROPPED_FROM_304 = ['content-type', 'content-length']

const INCOMPLETE = -1
const BROKEN = -2

/** Reads a header that needs a treatment. Returns false if the head is invalid. */
const note = (lines: Lines, kind: number, value: string): boolean => {
  if (kind === LENGTH) {
    const length = lengthOf(value)
    if (length < 0 || lines.length >= 0) return false
    lines.length = length
  } else if (kind === CODING) {
    if (value.toLowerCase() !== 'chunked' || lines.chunked) return false
    lines.chunked = true
  } else if (kind === CONNECTION) {
    for (const word of wordsOf(value)) {
      if (word === 'close') lines.keep = false
      else if (word === 'keep-alive') lines.keep = true
      else lines.named.push(word)
    }
  }
  return true
}

/** Parses header lines from an index on. Copies runs of kept lines; a dropped or renamed line ends a run. */
const readLines = (text: string, start: number, keep: boolean, rules: HeaderRules): Lines => {
  const lines: Lines = {kept: '', flags: 0, length: -1, chunked: false, keep, named: [], end: INCOMPLETE}
  let run = start
  let at = start
  while (text.charCodeAt(at) !== 13) {
    const line = at
    while (isOf(text.charCodeAt(at), TOKEN)) at++
    if (at >= text.length) return lines
    if (at === line || text.charCodeAt(at) !== 58) return {...lines, end: BROKEN}
    const kind = rules.kinds(text, line, at)
    const value = ++at
    while (isOf(text.charCodeAt(at), VALUE)) at++
    if (at + 1 >= text.length) return lines
    if (text.charCodeAt(at) !== 13 || text.charCodeAt(at + 1) !== 10) return {...lines, end: BROKEN}
    at += 2
    if (kind === KEEP) continue
    if (kind >= MARKED) {
      lines.flags |= kind
      continue
    }
    if (!note(lines, kind, trimmed(text, value, at - 2))) return {...lines, end: BROKEN}
    if (kind === LENGTH) continue
    lines.kept += text.slice(run, line) + (kind === RENAME ? rules.prefix : '')
    run = kind === RENAME ? line : at
  }
  if (at + 1 >= text.length) return lines
  lines.kept += text.slice(run, at)
  lines.end = text.charCodeAt(at + 1) === 10 && !(lines.chunked && lines.length >= 0) ? at : BROKEN
  return lines
}

/**
 * Parses a response head at the start of latin1 text; undefined: incomplete, null: invalid (RFC 9112 §4, §5). Stricter than the RFC where two
 * parsers could disagree: folded lines, two lengths, a length with chunks. Accepts any three digits as status. `ResponseHeads` reads a rejected
 * head once more, as Go does.
 */
export const readResponseHead = (
  text: string,
  toHead: boolean,
  rules = PLAIN_RULES
): ResponseHead | undefined | null => {
  const more = text.length >= HEAD_LIMIT ? null : undefined
  const first = text.indexOf('\r\n')
  if (first < 0) return more
  if (!STATUS_LINE.test(text.slice(0, first))) return null
  const status = Number(text.slice(9, 12))
  const lines = readLines(text, first + 2, text.charCodeAt(7) === 49, rules)
  if (lines.end === INCOMPLETE) return more
  if (lines.end === BROKEN) return null
  const bodiless = toHead || status < 200 || status === 204 || status === 304
  const left = bodiless ? 0 : lines.chunked ? CHUNKED : lines.length >= 0 ? lines.length : UNTIL_CLOSE
  const suppressed = status === 204 ? DROPPED_FROM_204 : status === 304 ? DROPPED_FROM_304 : undefined
  const dropped = suppressed === undefined ? lines.named : [...lines.named, ...suppressed]
  return {
    status,
    lines: dropped.length > 0 ? withoutHeaders(lines.kept, dropped) : lines.kept,
    flags: lines.flags,
    left,
    keep: lines.keep && left !== UNTIL_CLOSE && status !== 101,
    size: lines.end + 2,
    text
  }
}
