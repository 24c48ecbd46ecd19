import {CONNECTION, DROP, HOP_BY_HOP, KEEP, LENGTH, PATH, QUERY, RENAME, TOKEN, VALUE} from './header-lines.ts'
import {isOf, lengthOf, trimmed, type FieldKinds} from './header-lines.ts'

/** A field that no plain request has. */
export const OTHER = 6
/** From here on fields are told by their value and dropped: the first of them at index 0. */
export const TAKEN = 16
/** From here on they are told and kept. */
export const NOTED = 32

/** What HTTP itself asks a proxy to do with fields of a plain request, and which fields none has. */
export const PLAIN_KINDS: Readonly<Record<string, number>> = {
  ...HOP_BY_HOP,
  'content-length': LENGTH,
  connection: CONNECTION,
  'transfer-encoding': OTHER,
  expect: OTHER,
  upgrade: OTHER
}

/** Bytes of a head that is looked at; a longer one is not plain. */
export const PLAIN_LIMIT = 8192

/** A request whose head is whole and plain: what most are. */
export interface PlainRequest {
  /** In capitals. */
  readonly method: string
  /** Nothing in it is to be decoded, cleaned or escaped. */
  readonly path: string
  /** With its `?`; '' when there is none. */
  readonly query: string
  /** The lines to send on, latin1, each with its end. */
  readonly lines: string
  /** Bytes of the body. */
  readonly length: number
  readonly hasLength: boolean
  /** Values of the fields that are told, '' = not there. */
  readonly values: readonly string[]
  /** Bytes of the head. */
  readonly size: number
}

export interface PlainRules {
  readonly kinds: FieldKinds
  /** Put before the name of a field of kind `RENAME`. */
  readonly prefix: string
  /** How many fields are told. The first of them is Host: every plain request has one. */
  readonly told: number
}

/** What the lines add up to, while they are read. */
interface Lines {
  lines: string
  length: number
  values: string[]
  /** Where the empty line begins. */
  end: number
}

/** One field that is not simply kept; false: this is no plain request. */
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
  // Twice the same: what it means is not for us to say.
  if (value === '' || lines.values[index] !== '') return false
  lines.values[index] = value
  return true
}

const empty = (): string => ''

const COLON = 58

/** A User-Agent without a value goes no further: Go's client leaves it out. */
const isEmptyUserAgent = (line: string): boolean => /^user-agent:[ \t]*\r\n$/i.test(line)

/** Reads the lines from a place on. Kept ones are copied in runs; only a dropped or renamed one breaks the run. */
const readLines = (text: string, start: number, {kinds, prefix, told}: PlainRules): Lines | undefined => {
  const lines: Lines = {lines: '', length: -1, values: Array.from({length: told}, empty), end: 0}
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

const isLetter = (byte: number): boolean => (byte | 32) >= 97 && (byte | 32) <= 122
const VERSION = ' HTTP/1.1\r\n'
const MAX_METHOD = 20

/** Where a target's path and all of it end; 0: it is not plain. */
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
 * Recognises one plain request at the start of latin1 text. Undefined says nothing about a request but that others
 * have to read it: what is recognised here is only a part of HTTP (RFC 9112), which every reader reads alike. Any word
 * may be a method but CONNECT, which asks for a tunnel, and PRI, which is HTTP/2.
 */
export const readPlain = (text: string, rules: PlainRules): PlainRequest | undefined => {
  let space = 0
  while (isLetter(text.charCodeAt(space))) space++
  if (space === 0 || space > MAX_METHOD || text.charCodeAt(space) !== 32) return undefined
  const method = text.slice(0, space).toUpperCase()
  if (method === 'CONNECT' || method === 'PRI') return undefined
  const target = readTarget(text, space + 1)
  if (target === undefined || !text.startsWith(VERSION, target.end)) return undefined
  const {stem, end} = target
  if (stem > space + 2 && text.charCodeAt(stem - 1) === 47) return undefined
  const read = readLines(text, end + VERSION.length, rules)
  if (read === undefined) return undefined
  return {
    method,
    path: text.slice(space + 1, stem),
    query: end > stem + 1 ? text.slice(stem, end) : '',
    lines: read.lines,
    length: Math.max(0, read.length),
    hasLength: read.length >= 0,
    values: read.values,
    size: read.end + 2
  }
}
