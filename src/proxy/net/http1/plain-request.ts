import {CONNECTION, DROP, HOP_BY_HOP, KEEP, LENGTH, PATH, QUERY, RENAME, TOKEN, VALUE} from './header-kinds.ts'
import {trimmed} from './header-lines.ts'
import {isOf, lengthOf, type HeaderKinds} from './header-kinds.ts'

/** Kind of a header that no plain request has. */
export const OTHER = 6
/** First of the kinds whose value is reported and whose header is dropped. `kind - TAKEN`: index of the value. */
export const TAKEN = 16
/** First of the kinds whose value is reported and whose header is kept. `kind - NOTED`: index of the value. */
export const NOTED = 32

/** Treatments of a plain request's headers by HTTP's rules for proxies, and headers that no plain request has. */
export const PLAIN_KINDS: Readonly<Record<string, number>> = {
  ...HOP_BY_HOP,
  'content-length': LENGTH,
  connection: CONNECTION,
  'transfer-encoding': OTHER,
  expect: OTHER,
  upgrade: OTHER
}

/** Maximum size of a plain request's head. */
export const PLAIN_LIMIT = 8192

/** A request whose head is complete and plain: every parser reads it alike. Most requests are plain. */
export interface PlainRequest {
  readonly protocol: 'HTTP/1.1'
  /** The method in upper case. */
  readonly method: string
  /** Path of the target. A plain path needs no decoding or escaping. */
  readonly path: string
  /** Query with its `?`; '': none. */
  readonly query: string
  /** Header lines for the callee, latin1, each with its CRLF. */
  readonly lines: string
  /** Length of the body. */
  readonly length: number
  readonly hasLength: boolean
  /** Values of the reported headers; '': missing. */
  readonly values: readonly string[]
  /** Size of the head. */
  readonly size: number
  /** Text that begins with the original head. */
  readonly text: string
}

export interface PlainRules {
  readonly kinds: HeaderKinds
  /** Prefix for the names of headers of kind `RENAME`. */
  readonly prefix: string
  /** Number of reported headers. The first is Host, which every plain request has. */
  readonly valueCount: number
}

/** State of parsing header lines. */
interface Lines {
  lines: string
  length: number
  values: string[]
  /** Index of the empty line. */
  end: number
}

/** Reads a header that needs a treatment. Returns false if the request is not plain. */
const note = (lines: Lines, kind: number, value: string): boolean => {
  if (kind === LENGTH) {
    if (lines.length >= 0) return false
    lines.length = lengthOf(value)
    return lines.length >= 0
  }
  if (kind === CONNECTION) return value.toLowerCase() === 'keep-alive'
  if (kind === DROP || kind === RENAME) return true
  if (kind < TAKEN) return false
  const index = kind < NOTED ? kind - TAKEN : kind - NOTED
  // a repeated header is ambiguous, so that the request is not plain
  if (value === '' || lines.values[index] !== '') return false
  lines.values[index] = value
  return true
}

const COLON = 58

/** Whether a line is a User-Agent without a value, which Go's client does not send. */
const isEmptyUserAgent = (line: string): boolean => /^user-agent:[ \t]*\r\n$/i.test(line)

/** Parses header lines from an index on. Copies runs of kept lines; a dropped or renamed line ends a run. */
const readLines = (text: string, start: number, {kinds, prefix, valueCount}: PlainRules): Lines | undefined => {
  const values: string[] = []
  while (values.length < valueCount) values.push('')
  const lines: Lines = {lines: '', length: -1, values, end: 0}
  let run = start
  let at = start
  while (text.charCodeAt(at) !== 13) {
    const line = at
    while (isOf(text.charCodeAt(at), TOKEN)) at++
    if (at === line || text.charCodeAt(at) !== 58) return undefined
    const kind = kinds(text, line, at)
    const value = ++at
    while (isOf(text.charCodeAt(at), VALUE)) at++
    if (text.charCodeAt(at) !== 13 || text.charCodeAt(at + 1) !== 10) return undefined
    at += 2
    if (kind === KEEP) {
      const last = text.charCodeAt(at - 3)
      if ((last !== COLON && last !== 32 && last !== 9) || !isEmptyUserAgent(text.slice(line, at))) continue
      lines.lines += text.slice(run, line)
      run = at
      continue
    }
    if (!note(lines, kind, trimmed(text, value, at - 2))) return undefined
    if (kind >= NOTED) continue
    lines.lines += text.slice(run, line) + (kind === RENAME ? prefix : '')
    run = kind === RENAME ? line : at
  }
  if (text.charCodeAt(at + 1) !== 10 || lines.values[0] === '') return undefined
  lines.lines += text.slice(run, at)
  lines.end = at
  return lines
}

const isUpper = (byte: number): boolean => byte >= 65 && byte <= 90
const isLetter = (byte: number): boolean => (byte | 32) >= 97 && (byte | 32) <= 122
const VERSION = ' HTTP/1.1\r\n'
const MAX_METHOD = 20

/** Returns the end of a target's path (`stem`) and of the whole target; undefined: not plain. */
const readTarget = (text: string, start: number): {readonly stem: number; readonly end: number} | undefined => {
  let stem = 0
  let at = start
  if (text.charCodeAt(at) !== 47) return undefined
  for (let byte = 47; byte !== 32; byte = text.charCodeAt(++at)) {
    if (stem > 0) {
      if (!isOf(byte, QUERY)) return undefined
    } else if (byte === 63) stem = at
    else if (!isOf(byte, PATH)) return undefined
    else if (byte === 47 && (text.charCodeAt(at + 1) === 47 || text.charCodeAt(at + 1) === 46)) return undefined
  }
  return {stem: stem || at, end: at}
}

/**
 * Reads a plain request at the start of latin1 text; undefined: node:http must parse it. Accepts only the subset of HTTP (RFC 9112) that every
 * parser reads alike. Any word may be a method except CONNECT, which requests a tunnel, and PRI of HTTP/2.
 */
export const readPlain = (text: string, rules: PlainRules): PlainRequest | undefined => {
  let upper = 0
  while (isUpper(text.charCodeAt(upper))) upper++
  let space = upper
  while (isLetter(text.charCodeAt(space))) space++
  if (space === 0 || space > MAX_METHOD || text.charCodeAt(space) !== 32) return undefined
  const word = text.slice(0, space)
  const method = upper === space ? word : word.toUpperCase()
  if (method === 'CONNECT' || method === 'PRI') return undefined
  const target = readTarget(text, space + 1)
  if (target === undefined || !text.startsWith(VERSION, target.end)) return undefined
  const {stem, end} = target
  if (stem > space + 2 && text.charCodeAt(stem - 1) === 47) return undefined
  const read = readLines(text, end + VERSION.length, rules)
  if (read === undefined) return undefined
  return {
    protocol: 'HTTP/1.1',
    method,
    path: text.slice(space + 1, stem),
    query: end > stem + 1 ? text.slice(stem, end) : '',
    lines: read.lines,
    length: Math.max(0, read.length),
    hasLength: read.length >= 0,
    values: read.values,
    size: read.end + 2,
    text
  }
}
