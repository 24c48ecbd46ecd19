import {CODING, CONNECTION, DROP, HOP_BY_HOP, KEEP, LENGTH, MARKED, RENAME, TOKEN, VALUE} from './header-lines.ts'
import {isOf, lengthOf, nameReader, trimmed, withoutFields, wordsOf, type FieldKinds} from './header-lines.ts'

/** An answer's body follows in chunks. */
export const CHUNKED = -1
/** An answer's body ends with its connection. */
export const UNTIL_CLOSE = -2

/** A head longer than this is broken. */
export const HEAD_LIMIT = 65_536

/** Interim answers (1xx) before one answer, at most: a callee that goes on is not waited for (Go: max1xxResponses). */
export const MAX_INTERIM = 5
export const TOO_MANY_INTERIM = 'net/http: too many 1xx informational responses'

/** The head of an answer, read: what to send on, and how its body ends. */
export interface ResponseHead {
  readonly status: number
  /** The lines to send on, each with its end; hop-by-hop fields and Transfer-Encoding are gone, Content-Length stays. */
  readonly fields: string
  /** The bits of the marked fields that are there. */
  readonly flags: number
  /** Bytes of the body, or `CHUNKED`, or `UNTIL_CLOSE`. */
  readonly left: number
  /** The connection may carry another call afterwards. */
  readonly keep: boolean
  /** Bytes of the head itself. */
  readonly size: number
}

/** What a sidecar wants done with an answer's fields, beyond what HTTP asks for. */
export interface FieldRules {
  readonly kinds: FieldKinds
  /** Put before the name of a field of kind `RENAME`. */
  readonly prefix: string
}

/** What HTTP itself asks a proxy to do with fields of an answer. */
export const ANSWER_KINDS: Readonly<Record<string, number>> = {
  ...HOP_BY_HOP,
  'content-length': LENGTH,
  'transfer-encoding': CODING,
  connection: CONNECTION,
  upgrade: DROP
}

export const PLAIN_RULES: FieldRules = {kinds: nameReader(ANSWER_KINDS), prefix: ''}

const STATUS_LINE = /^HTTP\/1\.[01] \d{3}(?: [\t -~\x80-\xff]*)?$/

/** What the lines of one head add up to, while they are read. */
interface Lines {
  fields: string
  flags: number
  length: number
  chunked: boolean
  keep: boolean
  named: string[]
  /** Where the empty line begins; -1 = the text ended before it; -2 = broken. */
  end: number
}

/** What is not said of a body that is not there (Go: suppressedHeaders of net/http). */
const UNSAID_OF_204 = ['content-length']
const UNSAID_OF_304 = ['content-type', 'content-length']

const INCOMPLETE = -1
const BROKEN = -2

/** One field that is not simply kept; false = the head is broken. */
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

/** Reads the lines from a place on. Kept ones are copied in runs; only a dropped or renamed one breaks the run. */
const readLines = (text: string, start: number, keep: boolean, rules: FieldRules): Lines => {
  const lines: Lines = {fields: '', flags: 0, length: -1, chunked: false, keep, named: [], end: INCOMPLETE}
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
    lines.fields += text.slice(run, line) + (kind === RENAME ? rules.prefix : '')
    run = kind === RENAME ? line : at
  }
  if (at + 1 >= text.length) return lines
  lines.fields += text.slice(run, at)
  lines.end = text.charCodeAt(at + 1) === 10 && !(lines.chunked && lines.length >= 0) ? at : BROKEN
  return lines
}

/**
 * One answer's head at the start of latin1 text: undefined while it is incomplete, null when it is broken (RFC 9112 §4,
 * §5; stricter than that where two readers could disagree: folded lines, two lengths, a length beside chunks). Any three
 * digits are a status. What is broken here `readLooseAnswer` may still read.
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
  const unsaid = status === 204 ? UNSAID_OF_204 : status === 304 ? UNSAID_OF_304 : undefined
  const dropped = unsaid === undefined ? lines.named : [...lines.named, ...unsaid]
  return {
    status,
    fields: dropped.length > 0 ? withoutFields(lines.fields, dropped) : lines.fields,
    flags: lines.flags,
    left,
    keep: lines.keep && left !== UNTIL_CLOSE && status !== 101,
    size: lines.end + 2
  }
}
