import {parseDocument, type Document, type YAMLParseError} from 'yaml'
import {messageOf} from '../model/errors.ts'
import {readTextFile} from '../model/read-file.ts'
import {lineOf, templateError, unreadableTemplate, type Source, type Spot} from './diagnose.ts'
import type {Found} from './find.ts'
import {inGoWords} from './paths.ts'

/** The tree of a template's text. */
export type Yaml = Document.Parsed

/** Reads the template's text. Throws a `UserError` with Dapr's words when that fails. */
export function readSource(found: Found, readStdin: () => string): Source {
  const text = found.shownAs === '-' ? fromStdin(readStdin) : fromFile(found)
  return {shownAs: found.shownAs, text}
}

function fromStdin(readStdin: () => string): string {
  try {
    return readStdin()
  } catch (cause) {
    throw unreadableTemplate(`error in reading the provided app config from stdin: ${messageOf(cause)}`, cause)
  }
}

function fromFile({file, shownAs}: Found): string {
  try {
    return readTextFile(file)
  } catch (cause) {
    const words = inGoWords(cause)
    const call = words === 'is a directory' ? 'read' : 'open'
    throw unreadableTemplate(`error in reading the provided app config file: ${call} ${shownAs}: ${words}`, cause)
  }
}

/**
 * The first document of the text as a tree of nodes. Nothing is resolved: each scalar keeps its source text, equal keys
 * and merge keys stand as they were written. Throws a `UserError` for the first fault of syntax; its words after the line
 * number are not Go's.
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
  const problem = fault.message.charAt(0).toLowerCase() + fault.message.slice(1)
  const line = lineOf(source.text, fault.pos[0])
  const message = `error in parsing the provided app config file: yaml: line ${line}: ${problem}`
  throw templateError(source, {message, spot: visible(source.text, fault.pos)})
}

/** The parser points at the blanks before what is wrong, or behind the end of the text: here at what people can see. */
function visible(text: string, [start, end]: readonly [number, number]): Spot {
  const blanks = /^ +(?=\S)/.exec(text.slice(start))?.[0].length ?? 0
  const from = Math.min(start + blanks, Math.max(0, text.trimEnd().length - 1))
  return {start: from, end: Math.max(end, from + 1)}
}

/** The parser complains of a second document too, and then of its faults; Dapr reads the first and no further. */
function firstFault(faults: readonly YAMLParseError[]): YAMLParseError | undefined {
  const second = faults.find(fault => fault.code === 'MULTIPLE_DOCS')
  return faults
    .filter(fault => second === undefined || (fault !== second && fault.pos[0] < second.pos[0]))
    .toSorted((a, b) => a.pos[0] - b.pos[0])[0]
}
