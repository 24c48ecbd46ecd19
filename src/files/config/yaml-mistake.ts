import {
  isMap,
  isScalar,
  isSeq,
  visit,
  type Document,
  type Scalar,
  type YAMLMap,
  type YAMLParseError,
  type YAMLSeq
} from 'yaml'
import type {UserError} from '../../model/errors.ts'
import {mergeConflictIn, RESOLVE_CONFLICT} from '../../model/merge-conflict.ts'
import {lineOf, templateError, type Source, type Spot} from './diagnose.ts'
import {BEFORE_SYNTAX, type NoYaml} from './source.ts'

/** The error for a text that is no YAML: with the place where it goes wrong, and what to write. */
export function yamlMistake({source, document, fault}: NoYaml): UserError {
  const conflict = mergeConflictIn(source.text)
  if (conflict !== undefined) return conflictError(source, conflict)
  const problem = DEEP.test(fault.message) ? 'it is nested too deeply' : lowered(fault.message)
  const spot = openingOf(document, fault) ?? visible(source.text, fault.pos)
  const message = `${BEFORE_SYNTAX}line ${lineOf(source.text, spot.start)}: ${problem}`
  return templateError(source, {code: 'invalid-yaml', message, spot, hint: adviceFor(fault, source.text)})
}

function conflictError(source: Source, start: number): UserError {
  const message = `${BEFORE_SYNTAX}line ${lineOf(source.text, start)}: this is a Git merge conflict`
  const spot = {start, end: start + 7}
  return templateError(source, {code: 'invalid-yaml', message, spot, hint: RESOLVE_CONFLICT})
}

/** The parser calls itself for each level; V8 says in either way that it did so too often. */
const DEEP = /call stack|stack overflow/i

const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

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
