import {
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
  type Scalar,
  type YAMLMap,
  type YAMLParseError,
  type YAMLSeq
} from 'yaml'
import {isUtf8} from 'node:buffer'
import {messageOf} from '../model/errors.ts'
import {readTextBytes, textOf} from '../model/read-file.ts'
import {lineOf, templateError, unreadableTemplate, type Source, type Spot} from './diagnose.ts'
import type {Found} from './find.ts'
import {inGoWords} from './paths.ts'
import {resolveScalar, textOf as scalarText} from './scalar.ts'

/** The syntax tree of a template. */
export type Yaml = Document.Parsed

const BEFORE_SYNTAX = 'error in parsing the provided app config file: yaml: '

/** Reads the text of a template. Throws a `UserError` with Dapr's text if it cannot be read or is not valid text. */
export function readSource(found: Found, readStdin: () => Buffer | string): Source {
  const bytes = found.shownAs === '-' ? fromStdin(readStdin) : fromFile(found)
  const source = {shownAs: found.shownAs, text: textOf(bytes)}
  refuseInvalidUtf8(bytes, source)
  refuseControlCharacters(source)
  return source
}

function fromStdin(readStdin: () => Buffer | string): Buffer {
  try {
    return Buffer.from(readStdin())
  } catch (cause) {
    throw unreadableTemplate(`error in reading the provided app config from stdin: ${messageOf(cause)}`, cause)
  }
}

function fromFile({file, shownAs}: Found): Buffer {
  try {
    return readTextBytes(file)
  } catch (cause) {
    const words = inGoWords(cause)
    const call = words === 'is a directory' ? 'read' : 'open'
    throw unreadableTemplate(`error in reading the provided app config file: ${call} ${shownAs}: ${words}`, cause)
  }
}

/** The text is that of yaml.v2 (`readerc.go`). The place is the first character that the decoder had to replace. */
function refuseInvalidUtf8(bytes: Buffer, source: Source): void {
  if (isUtf8(bytes)) return
  const start = [...source.text.matchAll(/\uFFFD/g)]
    .map(({index}) => index)
    .find(index => !bytes.includes(source.text.slice(0, index + 1)))
  const spot = {start: start ?? 0, end: (start ?? 0) + 1}
  const message = `${BEFORE_SYNTAX}invalid leading UTF-8 octet`
  throw templateError(source, {code: 'invalid-utf8', message, spot, hint: 'save the file as UTF-8'})
}

/** What YAML 1.1 does not allow in a text (`readerc.go` of yaml.v2). */
// oxlint-disable-next-line no-control-regex
const CONTROL_CHARACTER = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F]/

function refuseControlCharacters(source: Source): void {
  const start = source.text.search(CONTROL_CHARACTER)
  if (start === -1) return
  const message = `${BEFORE_SYNTAX}control characters are not allowed`
  const name = `U+${source.text.charCodeAt(start).toString(16).toUpperCase().padStart(4, '0')}`
  const mistake = {message, spot: {start, end: start + 1}, expected: `expected text, found the character ${name}`}
  throw templateError(source, {code: 'control-character', ...mistake})
}

/** The parser calls itself for each level; V8 says in either way that it did so too often. */
const DEEP = /call stack|stack overflow/i

const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

/**
 * The first document of the text as a tree of nodes. Nothing is resolved: each scalar keeps its source text, and duplicate
 * keys and merge keys stay as written. Throws a `UserError` for the first syntax error. The text after the line number is
 * not Go's.
 */
export function parseSource(source: Source): Yaml {
  const document = parseDocument(source.text, {
    version: '1.1',
    schema: 'failsafe',
    uniqueKeys: false,
    prettyErrors: false
  })
  const fault = firstFault(document.errors)
  if (fault === undefined) return document
  const problem = DEEP.test(fault.message) ? 'it is nested too deeply' : lowered(fault.message)
  const spot = openingOf(document, fault) ?? visible(source.text, fault.pos)
  const message = `${BEFORE_SYNTAX}line ${lineOf(source.text, spot.start)}: ${problem}`
  throw templateError(source, {code: 'invalid-yaml', message, spot, hint: adviceFor(fault, source.text)})
}

/** A suggestion for the mistakes of people new to YAML; '' for others. */
function adviceFor({code, message, pos: [at]}: YAMLParseError, text: string): string {
  if (/^(?:All mapping items|Sequence item)/.test(message))
    return 'indent it as the lines above: keys of one app begin in the same column'
  if (code !== 'BLOCK_AS_IMPLICIT_KEY') return ADVICE.get(code) ?? ''
  const isOnOneLine = / .*: /.test(text.slice(at - 1).split('\n', 1)[0] ?? '')
  return isOnOneLine
    ? 'put a text that contains a colon into quotes'
    : 'indent the line below this one less: keys of one app begin in the same column'
}

const ADVICE = new Map<string, string>([
  ['TAB_AS_INDENT', 'indent with spaces'],
  ['BAD_SCALAR_START', 'put it into quotes'],
  ['MULTILINE_IMPLICIT_KEY', 'write a colon and a space after a key, as in appID: shop']
])

/** Whether the template turns interpolation on; of several files, the last one that says so counts for all. */
export function wantsInterpolation(documents: readonly Yaml[]): boolean {
  const values = documents.flatMap(({contents}) =>
    isMap(contents)
      ? contents.items.flatMap(({key, value}) =>
          isScalar(key) && scalarText(key) === 'interpolate' && isScalar(value) ? [resolveScalar(value).value] : []
        )
      : []
  )
  return values.at(-1) === true
}

/** Where a second document begins: Dapr reads the first one only. */
export function secondDocument({errors}: Yaml): Spot | undefined {
  const [start, end] = errors.find(({code}) => code === 'MULTIPLE_DOCS')?.pos ?? []
  return start === undefined ? undefined : {start, end: end ?? start + 1}
}

/** The quote or bracket that is never closed: the parser reports it where it gives up, often at the end of the text. */
function openingOf(document: Document, {message, pos: [at]}: YAMLParseError): Spot | undefined {
  const bracket = /end with a ([\]}])$/.exec(message)?.[1]
  const isQuote = message.startsWith('Missing closing') && message.endsWith('quote')
  const isMeant = (node: unknown): node is Scalar | YAMLMap | YAMLSeq =>
    isQuote
      ? isScalar(node) && node.type?.startsWith('QUOTE') === true
      : (isSeq(node) && node.flow === true && bracket === ']') || (isMap(node) && node.flow === true && bracket === '}')
  let opening: Spot | undefined
  visit(document, (_, node) => {
    const [start = at, end = 0] = isMeant(node) ? (node.range ?? []) : []
    if (start < at && end >= at) opening = {start, end: start + 1} // the last one is the innermost
  })
  return opening
}

/** The parser points at the blanks before the mistake, or past the end of the text: moves to something visible. */
function visible(text: string, [start, end]: readonly [number, number]): Spot {
  const blanks = /^ +(?=\S)/.exec(text.slice(start))?.[0].length ?? 0
  const from = Math.min(start + blanks, Math.max(0, text.trimEnd().length - 1))
  return {start: from, end: Math.max(end, from + 1)}
}

/** The parser also reports a second document and its errors; Dapr reads the first document only. */
function firstFault(faults: readonly YAMLParseError[]): YAMLParseError | undefined {
  const second = faults.find(fault => fault.code === 'MULTIPLE_DOCS')
  return faults
    .filter(fault => second === undefined || (fault !== second && fault.pos[0] < second.pos[0]))
    .toSorted((a, b) => a.pos[0] - b.pos[0])[0]
}
