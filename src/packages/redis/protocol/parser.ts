import {constants} from 'node:buffer'
import {ownOf} from '../../../model/own.ts'
import {Collector} from '../../../platform/collector.ts'
import {ARGUMENT_BYTES} from '../engine/memory-limit.ts'

/** The error for bytes that are not Redis' protocol: the client receives it, and its connection is closed. */
export class ProtocolError extends Error {}

/** Maximum bytes of a line: the count of an array, the length of an argument, or an inline request. */
const MAX_LINE_BYTES = 64 * 1024
/** Limit of an argument: 512 MiB in Redis; a string of V8 ends a few bytes before. */
const MAX_BULK_BYTES = Math.min(512 * 1024 * 1024, constants.MAX_STRING_LENGTH)
/** Limit of all arguments of a request, with the overhead of each: Redis' `client-query-buffer-limit`. */
const MAX_REQUEST_BYTES = 1024 * 1024 * 1024
const MAX_ARGUMENTS = 2 ** 31 - 1

const CR = 13
const LF = 10
const ASTERISK = 42
const DOLLAR = 36
const NOTHING = Buffer.alloc(0)
/** A budget without a limit: only Redis' limits of a request count. */
const UNLIMITED = {take: () => true, give: () => undefined}

/**
 * Reads requests from a connection's bytes, split anywhere. Memory is bounded by the received bytes, and these by Redis' limits.
 * Arguments have one character per byte.
 */
export class RequestParser {
  #buffer: Buffer = NOTHING
  #at = 0
  /** The bytes of a long argument that has not arrived whole. */
  readonly #long = new Collector(0, UNLIMITED)
  #missing = 0
  #args: string[] = []
  /** Number of remaining arguments; 0 between requests. */
  #left = 0
  /** Length of the next argument; -1: not known yet. */
  #length = -1
  #size = 0
  readonly #maxBytes: number

  constructor(maxBytes = MAX_REQUEST_BYTES) {
    this.#maxBytes = maxBytes
  }

  feed(chunk: Buffer): void {
    if (this.#missing > 0) {
      this.#long.add(chunk)
      this.#missing -= chunk.length
      if (this.#missing > 0) return
      this.#buffer = this.#long.take()
      this.#missing = 0
    } else if (this.#at === this.#buffer.length) this.#buffer = chunk
    else this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), chunk])
    this.#at = 0
  }

  /** Number of received bytes that are not parsed yet. */
  get buffered(): number {
    return this.#buffer.length - this.#at
  }

  /** Returns the next whole request; undefined: it has not arrived. Throws a ProtocolError. */
  next(): readonly string[] | undefined {
    if (this.#missing > 0) return undefined
    for (;;) {
      if (this.#left > 0) return this.#arguments()
      if (this.#at >= this.#buffer.length) return undefined
      const isArray = this.#buffer[this.#at] === ASTERISK
      const line = this.#line(isArray ? CR : LF, isArray ? 'too big mbulk count string' : 'too big inline request')
      const typed = isArray ? '' : (line ?? String.fromCharCode(this.#buffer[this.#at] ?? 0))
      if (!isTyped(typed)) throw new ProtocolError('control character in inline request')
      if (line === undefined) return undefined
      if (!isArray) {
        const args = splitInline(line.endsWith('\r') ? line.slice(0, -1) : line)
        if (args === undefined) throw new ProtocolError('unbalanced quotes in request')
        if (args.length > 0) return args
        continue
      }
      const count = parseLength(line.slice(1))
      if (count === undefined || count > MAX_ARGUMENTS) throw new ProtocolError('invalid multibulk length')
      this.#left = Math.max(count, 0)
      this.#args = []
      this.#size = 0
    }
  }

  #arguments(): readonly string[] | undefined {
    while (this.#left > 0) {
      if (this.#length === -1 && !this.#readLength()) return undefined
      const end = this.#at + this.#length
      if (this.#buffer.length < end + 2) {
        this.#collect(end + 2 - this.#buffer.length)
        return undefined
      }
      this.#args.push(this.#buffer.toString('latin1', this.#at, end))
      this.#at = end + 2
      this.#length = -1
      this.#left--
    }
    return this.#args
  }

  #readLength(): boolean {
    if (this.#at >= this.#buffer.length) return false
    const sign = this.#buffer[this.#at] ?? 0
    if (sign !== DOLLAR) throw new ProtocolError(`expected '$', got '${String.fromCharCode(sign)}'`)
    const line = this.#line(CR, 'too big bulk count string')
    if (line === undefined) return false
    const length = parseLength(line.slice(1))
    if (length === undefined || length < 0 || length > MAX_BULK_BYTES) throw new ProtocolError('invalid bulk length')
    this.#size += length + ARGUMENT_BYTES
    if (this.#size > this.#maxBytes) throw new ProtocolError('too big request')
    this.#length = length
    return true
  }

  /** Collects the missing bytes without parsing them. */
  #collect(missing: number): void {
    this.#long.add(this.#buffer.subarray(this.#at))
    this.#missing = missing
    this.#buffer = NOTHING
    this.#at = 0
  }

  /** The text up to the end of the line, which is consumed. */
  #line(end: number, fault: string): string | undefined {
    const at = this.#buffer.indexOf(end, this.#at)
    const last = end === CR ? at + 1 : at // the LF behind a CR
    if (at === -1 || last >= this.#buffer.length) {
      if (this.#buffer.length - this.#at > MAX_LINE_BYTES) throw new ProtocolError(fault)
      return undefined
    }
    if (at - this.#at > MAX_LINE_BYTES) throw new ProtocolError(fault)
    const line = this.#buffer.toString('latin1', this.#at, at)
    this.#at = last + 1
    return line
  }
}

/** A length as Redis reads it: digits, perhaps negative. */
const parseLength = (text: string): number | undefined => (/^-?\d{1,10}$/.test(text) ? Number(text) : undefined)

const ESCAPES: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007'}

/** Bytes of other protocols, which no person types: a TLS hello, the head of STUN. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/

/** Returns false for bytes of another protocol: they must not run as commands. */
const isTyped = (line: string): boolean => !CONTROL.test(line)

/** The arguments of a line that a person typed (`sdssplitargs`): quotes, and escapes in double ones. Returns undefined for unbalanced quotes. */
export function splitInline(line: string): readonly string[] | undefined {
  const args: string[] = []
  let at = 0
  for (;;) {
    while (isSpace(line[at])) at++
    if (at >= line.length) return args
    const word = readWord(line, at)
    if (word === undefined) return undefined
    args.push(word.text)
    at = word.end
  }
}

const isSpace = (character: string | undefined): boolean => character !== undefined && /[\t-\r ]/.test(character)

interface Word {
  readonly text: string
  readonly end: number
}

function readWord(line: string, start: number): Word | undefined {
  let text = ''
  let at = start
  while (at < line.length && !isSpace(line[at])) {
    const quote = line[at]
    if (quote !== '"' && quote !== "'") {
      text += line.charAt(at++)
      continue
    }
    const quoted = readQuoted(line, at + 1, quote)
    // a closing quote ends the word
    if (quoted === undefined || (quoted.end < line.length && !isSpace(line[quoted.end]))) return undefined
    return {text: text + quoted.text, end: quoted.end}
  }
  return {text, end: at}
}

function readQuoted(line: string, start: number, quote: string): Word | undefined {
  let text = ''
  for (let at = start; at < line.length; at++) {
    const character = line.charAt(at)
    if (character === quote) return {text, end: at + 1}
    if (character !== '\\') text += character
    else if (quote === "'") {
      const isQuote = line[at + 1] === "'"
      text += isQuote ? "'" : character
      if (isQuote) at++
    } else {
      const hex = /^x([\da-f]{2})/i.exec(line.slice(at + 1, at + 4))?.[1]
      const next = line.charAt(at + 1)
      text += hex === undefined ? (ownOf(ESCAPES, next) ?? next) : String.fromCharCode(Number.parseInt(hex, 16))
      at += hex === undefined ? 1 : 3
    }
  }
  return undefined
}
