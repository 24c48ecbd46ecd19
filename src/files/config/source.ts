import {isMap, isScalar, parseDocument, type Document, type YAMLParseError} from 'yaml'
import {isUtf8} from 'node:buffer'
import {messageOf} from '../../model/errors.ts'
import {readTextBytes, utf8Text} from '../../model/read-file.ts'
import {templateError, unreadableTemplate, type Source, type Spot} from './diagnose.ts'
import type {FoundTemplate} from './find.ts'
import {inGoWords} from './paths.ts'
import {resolveScalar, scalarSource} from './scalar.ts'

/** The syntax tree of a template. */
export type Yaml = Document.Parsed

/** Dapr's words before what the parser says. */
export const BEFORE_SYNTAX = 'error in parsing the provided app config file: yaml: '

/** Reads the text of a template. Throws a `UserError` with Dapr's text if it cannot be read or is not valid text. */
export function readSource(found: FoundTemplate, readStdin: () => Buffer | string): Source {
  const bytes = found.shownAs === '-' ? fromStdin(readStdin) : fromFile(found)
  const source = {shownAs: found.shownAs, text: utf8Text(bytes)}
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

function fromFile({file, shownAs}: FoundTemplate): Buffer {
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

/** A text that is no YAML; `yamlMistake` explains it, and is loaded only then. */
export class NoYaml extends Error {
  readonly source: Source
  readonly document: Document
  readonly fault: YAMLParseError

  constructor(source: Source, document: Document, fault: YAMLParseError) {
    super(fault.message)
    this.source = source
    this.document = document
    this.fault = fault
  }
}

/**
 * The first document of the text as a tree of nodes. Nothing is resolved: each scalar keeps its source text, and duplicate
 * keys and merge keys stay as written. Throws `NoYaml` for the first syntax error. The text after the line number is
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
  throw new NoYaml(source, document, fault)
}

/** Whether the template turns interpolation on; of several files, the last one that says so counts for all. */
export function wantsInterpolation(documents: readonly Yaml[]): boolean {
  const values = documents.flatMap(({contents}) =>
    isMap(contents)
      ? contents.items.flatMap(({key, value}) =>
          isScalar(key) && scalarSource(key) === 'interpolate' && isScalar(value) ? [resolveScalar(value).value] : []
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

/** The parser also reports a second document and its errors; Dapr reads the first document only. */
function firstFault(faults: readonly YAMLParseError[]): YAMLParseError | undefined {
  const second = faults.find(fault => fault.code === 'MULTIPLE_DOCS')
  return faults
    .filter(fault => second === undefined || (fault !== second && fault.pos[0] < second.pos[0]))
    .toSorted((a, b) => a.pos[0] - b.pos[0])[0]
}
