import {KnownHeads} from './known-heads.ts'
import {readResponseHead, type HeaderRules, type ResponseHead, HEAD_LIMIT} from './response-head.ts'
import {trimmed} from './header-lines.ts'

/** Reads the heads of one callee's responses, and caches the latest. */
export class ResponseHeads {
  #known = new KnownHeads<ResponseHead>()
  #rules: HeaderRules | undefined

  /** Reads a head by `readResponseHead`, and a rejected one by `readLooseResponse`, whose results it returns. */
  read(text: string, toHead: boolean, rules: HeaderRules): ReturnType<typeof readLooseResponse> {
    // a response to HEAD has no body, whatever its head says: not cached
    if (toHead) return readResponseHead(text, true, rules) ?? readLooseResponse(text, true, rules)
    if (rules !== this.#rules) this.#known = new KnownHeads()
    this.#rules = rules
    const known = this.#known.find(text)
    // the text of this response has its own body after the head
    if (known !== undefined) return {...known, text}
    const head = readResponseHead(text, false, rules)
    if (!head) return readLooseResponse(text, false, rules)
    this.#known.add(head)
    return head
  }
}

/*
 * The rest of this file reads response heads that violate RFC 9112 but that Go's client accepts (`ReadResponse` of net/http,
 * `ReadMIMEHeader` of net/textproto), so that an app that works behind Dapr works here, too. The caller gets a head that is rewritten
 * according to the RFC, so that no other parser can read it differently.
 */

const STATUS_LINE = /^HTTP\/\d\.\d +(\d{3})(?: |$)/
/** Matches the start of a status line of at least ten characters. */
const STATUS_LINE_START = /^HTTP\/\d\.\d +(?:\d{0,2}$|\d{3}(?:[ \r]|$))/
const SHORTEST_START = 'HTTP/1.1 '
/** Matches a header, also with spaces in its name: such a header is accepted but dropped. */
const FIELD = /^[\w!#$%&'*+\-.^`|~ ]+:[\t\x20-\x7e\x80-\xff]*$/
const CONTINUATION = /^[ \t][\t\x20-\x7e\x80-\xff]*$/

const MAX_QUOTED = 80

const quoted = (text: string): string => JSON.stringify(text.slice(0, MAX_QUOTED))

/** Whether a text begins with a SETTINGS frame, the first frame of an HTTP/2 server (RFC 9113 §3.4). */
const beginsWithSettings = (text: string): boolean => text.charCodeAt(0) === 0 && text.charCodeAt(3) === 4

const malformed = (text: string): string =>
  `malformed HTTP response ${quoted(text)}${beginsWithSettings(text) ? ' (it speaks HTTP/2)' : ''}`

const withoutCr = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)

/** Whether more bytes can turn an incomplete first line into a status line. */
const couldBegin = (text: string): boolean => STATUS_LINE_START.test(text + SHORTEST_START.slice(text.length))

/** Returns the values of a header, without surrounding spaces. */
const valuesOf = (fields: readonly string[], name: string): string[] =>
  fields
    .filter(field => field.slice(0, field.indexOf(':')).toLowerCase() === name)
    .map(field => trimmed(field, name.length + 1))

const hasInvalidName = (field: string): boolean => field.slice(0, field.indexOf(':')).includes(' ')

/** Reads the lines of one head. Returns its unfolded headers and its size, or the error; undefined: incomplete. */
const readLines = (
  lines: readonly string[]
): {readonly fields: readonly string[]; readonly size: number} | undefined | string => {
  const fields: string[] = []
  let size = (lines[0]?.length ?? 0) + 1
  for (const each of lines.slice(1)) {
    const line = withoutCr(each)
    size += each.length + 1
    if (line === '') return {fields, size}
    const last = fields.at(-1)
    if (last !== undefined && CONTINUATION.test(line)) fields[fields.length - 1] = `${last} ${trimmed(line)}`
    else if (FIELD.test(line) && !line.startsWith(' ')) fields.push(trimmed(line))
    else return `malformed MIME header line: ${quoted(line)}`
  }
  return undefined
}

/** Keeps one framing header. A transfer coding has precedence over a length. */
const withOneFraming = (fields: readonly string[]): readonly string[] => {
  const [length] = valuesOf(fields, 'content-length')
  const others = fields.filter(field => !/^content-length:/i.test(field))
  const isChunked = valuesOf(fields, 'transfer-encoding').length > 0
  return length === undefined || isChunked ? others : [...others, `Content-Length: ${length}`]
}

/** Returns why the end of the body is unknown, as Go words it; '': it is known. */
const faultOf = (fields: readonly string[]): string => {
  const codings = valuesOf(fields, 'transfer-encoding')
  const coding = codings.join(', ')
  if (codings.length > 0 && coding.toLowerCase() !== 'chunked')
    return `unsupported transfer encoding: ${quoted(coding)}`
  const lengths = valuesOf(fields, 'content-length')
  if (new Set(lengths).size > 1)
    return `http: message cannot contain multiple Content-Length headers; got ${quoted(lengths.join(', '))}`
  const [length = '0'] = lengths
  return /^\d{1,15}$/.test(length) ? '' : `bad Content-Length ${quoted(length)}`
}

/**
 * Parses a response head that `readResponseHead` has rejected, at the start of latin1 text. Returns a text with the error if it is invalid;
 * undefined: incomplete. The connection is not reused afterwards.
 */
const readLooseResponse = (text: string, toHead: boolean, rules: HeaderRules): ResponseHead | undefined | string => {
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  const [first] = lines
  const status = first === undefined ? undefined : STATUS_LINE.exec(withoutCr(first))?.[1]
  if (first === undefined ? !couldBegin(rest) : status === undefined) return malformed(withoutCr(first ?? rest))
  const read = readLines(lines)
  if (typeof read === 'string') return read
  if (read === undefined) return text.length >= HEAD_LIMIT ? malformed(text) : undefined
  const fields = read.fields.filter(field => !hasInvalidName(field))
  const fault = faultOf(fields)
  if (fault !== '') return fault
  const written = withOneFraming(fields).map(field => `${field}\r\n`)
  const head = readResponseHead(`HTTP/1.1 ${status ?? ''} \r\n${written.join('')}\r\n`, toHead, rules)
  return head ? {...head, keep: false, size: read.size, text} : malformed(text)
}
