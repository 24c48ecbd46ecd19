// Reads YAML as Go's libraries do: templates as Dapr's CLI, resources as daprd, compose files as compose. A single reader, with the
// differences in `dialects.ts`; each node knows its place in the file, and a document that cannot be read has a fault with
// its place; the documents after it are read all the same. Reads no files. Nodes that aliases multiply are counted, and depth is limited.
import type {Document, YAMLParseError} from 'yaml'
import type {Spot, YamlFault} from './place.ts'
import {TreeBuilder, TreeError, type Anchors} from './build-tree.ts'
import type {Dialect} from './dialects.ts'
import {parseDocuments} from './parse.ts'
import type {YamlNode} from './tree.ts'

/** A document of a file: a tree, or the fault that prevents it. */
type YamlDocument = (
  | {readonly root: YamlNode; readonly fault?: undefined}
  | {readonly root?: undefined; readonly fault: YamlFault}
) & {
  /** Start of a further document, which is not read. */
  readonly next?: Spot | undefined
}

/** Reads the documents of a text. `start`: offset of the text in its file. */
export function readYaml(text: string, dialect: Dialect, start = 0): readonly YamlDocument[] {
  const parts = typeof dialect.documents === 'function' ? dialect.documents(text) : [{text, start: 0}]
  return parts.flatMap(part => {
    const mark = part.text.startsWith('\uFEFF') ? 1 : 0
    return readPart(withGoLines(part.text.slice(mark)), dialect, start + part.start + mark)
  })
}

/** Replaces libyaml's line ends by `\n`; CR LF stays. */
export const withGoLines = (text: string): string => text.replaceAll(/\r(?!\n)|[\u0085\u2028\u2029]/g, '\n')

function readPart(text: string, dialect: Dialect, start: number): readonly YamlDocument[] {
  const fault = characterFault(text, start) ?? directiveFault(text, start)
  if (fault !== undefined) return [{fault}]
  const documents: YamlDocument[] = []
  const anchors: Anchors = new Map()
  for (const document of parseDocuments(text)) {
    const last = documents.at(-1)
    if (last !== undefined && dialect.documents !== 'all') {
      const [from, end] = document.range
      documents[documents.length - 1] = {...last, next: {start: start + from, end: start + end}}
      break
    }
    documents.push(readDocument(document, {text, dialect, start, anchors}))
  }
  return documents
}

interface Reading {
  readonly text: string
  readonly dialect: Dialect
  readonly start: number
  readonly anchors: Anchors
}

function readDocument(document: Document.Parsed, {text, dialect, start, anchors}: Reading): YamlDocument {
  const end = dialect.documents === 'all' ? Infinity : endOf(document, text)
  const [error] = document.errors.filter(({pos}) => pos[0] <= end).toSorted((a, b) => a.pos[0] - b.pos[0])
  if (error !== undefined) return {fault: syntaxFault({document, error, text, start})}
  try {
    return {root: new TreeBuilder(text, dialect, {start, anchors}).build(document)}
  } catch (thrown) {
    if (thrown instanceof TreeError) return {fault: thrown.fault}
    throw thrown
  }
}

/** Returns the offset of the marker after the first document. The library reports errors behind it, too. */
function endOf({contents, range}: Document.Parsed, text: string): number {
  const from = contents?.range[1] ?? range[1]
  const marker = /^(?:---|\.\.\.)(?=\s|$)/m.exec(text.slice(from))
  return marker === null ? Infinity : from + marker.index
}

function syntaxFault(syntax: NonNullable<YamlFault['syntax']>): YamlFault {
  const {error, start} = syntax
  const [from, end] = error.pos
  return {code: 'invalid-yaml', message: lowered(error), spot: {start: start + from, end: start + end}, syntax}
}

const lowered = ({message}: YAMLParseError): string => message.charAt(0).toLowerCase() + message.slice(1)

/** Characters that YAML 1.1 does not allow (`readerc.go` of yaml.v2); `decodeText` replaces invalid bytes by U+FFFE. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]/

function characterFault(text: string, offset: number): YamlFault | undefined {
  const at = text.search(FORBIDDEN)
  if (at === -1) return undefined
  const spot = {start: offset + at, end: offset + at + 1}
  return text[at] === '\uFFFE'
    ? {code: 'invalid-utf8', message: 'invalid leading UTF-8 octet', spot}
    : {code: 'control-character', message: 'control characters are not allowed', spot}
}

/** The text before the first document: blank lines, comments and directives. */
const PROLOGUE = /^(?:[ \t]*(?:#.*)?\r?\n|%.*\r?\n)*/

/** Returns the fault of an unknown directive. Go knows `%YAML 1.1` and `%TAG` (`parser_process_directives` of yaml.v2). */
function directiveFault(text: string, offset: number): YamlFault | undefined {
  const [prologue = ''] = text.includes('%') ? (PROLOGUE.exec(text) ?? []) : []
  const [first, second] = prologue.matchAll(/^%(?!TAG ).*/gm)
  const wrong = first !== undefined && /^%YAML +1\.1\s*(?:#.*)?$/.test(first[0]) ? second : first
  if (wrong === undefined) return undefined
  const message = first === wrong ? `unknown directive ${wrong[0].trim()}` : 'found duplicate %YAML directive'
  const spot = {start: offset + wrong.index, end: offset + wrong.index + wrong[0].length}
  return {code: 'invalid-yaml', message, spot}
}
