import {isMap, isScalar, isSeq, visit, type Document, type YAMLParseError} from 'yaml'
import {TOO_DEEP} from './build-tree.ts'
import type {Spot, YamlFault} from './place.ts'

/** Advice about a merge conflict. */
const RESOLVE_CONFLICT = 'keep one of the two sides, and remove the lines <<<<<<<, ======= and >>>>>>>'

export interface ExplainedFault {
  readonly message: string
  readonly spot: Spot
  readonly expected?: string
  /** Advice how to correct the fault; '': no advice is certain. */
  readonly hint: string
}

/** Explains a fault at the best place. `text`: of the file, which begins at `start`. */
export function explainFault({code, message, spot, syntax}: YamlFault, text: string, start = 0): ExplainedFault {
  if (code === 'invalid-utf8') return {message, spot, hint: 'save the file as UTF-8'}
  if (code === 'control-character') return {message, spot, expected: foundCharacter(text, spot.start - start), hint: ''}
  const conflict = mergeConflictIn(text)
  if (conflict !== undefined)
    return {
      message: 'this is a Git merge conflict',
      spot: {start: start + conflict, end: start + conflict + 7},
      hint: RESOLVE_CONFLICT
    }
  if (syntax === undefined)
    return {message, spot, hint: message.startsWith('mapping key') ? 'remove one of the two' : ''}
  const {document, error} = syntax
  if (DEEP.test(error.message)) return {message: TOO_DEEP, spot, hint: ''}
  const unclosed = openingOf(document, error)
  const {start: from, end} = unclosed?.spot ?? visible(syntax.text, error.pos)
  return {
    message: unclosed?.message ?? message,
    spot: {start: from + syntax.start, end: end + syntax.start},
    hint: unclosed?.hint ?? adviceFor(error, syntax.text)
  }
}

function foundCharacter(text: string, at: number): string {
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
  return `expected text, found the character U+${code}`
}

/** V8's errors for too deep recursion: the parser calls itself for each level. */
const DEEP = /call stack|stack overflow/i

/** Returns a suggestion for the mistakes of people new to YAML; empty for others. */
function adviceFor({code, message, pos: [at]}: YAMLParseError, text: string): string {
  if (/^(?:All mapping items|Sequence item)/.test(message))
    return 'indent it as the lines above: keys of one map begin in the same column'
  if (code === 'UNEXPECTED_TOKEN' && text.startsWith('${', at - 1)) return 'put it into quotes: "${…}"'
  if (code !== 'BLOCK_AS_IMPLICIT_KEY') return ADVICE.get(code) ?? ''
  const isOnOneLine = / .*: /.test(text.slice(at - 1).split('\n', 1)[0] ?? '')
  return isOnOneLine
    ? 'put a text that contains a colon into quotes'
    : 'indent the line below this one less: keys of one map begin in the same column'
}

const ADVICE = new Map<string, string>([
  ['TAB_AS_INDENT', 'indent with spaces'],
  ['BAD_SCALAR_START', 'put it into quotes'],
  ['MULTILINE_IMPLICIT_KEY', 'write a colon and a space after a key, as in appID: shop']
])

/** Errors that follow from a bracket or a quote that is never closed. */
const UNCLOSED = /^(?:Missing closing|Flow .* must end with|Expected .* to end with)|(?:and end with a [\]}]$)/

/** Finds the quote or bracket that is never closed. The parser reports its end, often the end of the text. */
function openingOf(
  document: Document,
  first: YAMLParseError
): {readonly message: string; readonly spot: Spot; readonly hint: string} | undefined {
  const error = document.errors.find(({message}) => UNCLOSED.test(message))
  if (error === undefined) return undefined
  const [at] = error.pos
  const closing = /([\]}])$/.exec(error.message)?.[1] ?? ''
  let start: number | undefined
  let opening = ''
  visit(document, (_, node) => {
    const isQuote = closing === '' && isScalar(node) && node.type?.startsWith('QUOTE') === true
    const isBracket = (closing === ']' && isSeq(node) && node.flow) || (closing === '}' && isMap(node) && node.flow)
    if (!isQuote && isBracket !== true) return
    const [from = at, end = 0] = node.range ?? []
    if (from >= at || end < at) return
    start = from // the last one is the innermost
    opening = closing === ']' ? '[' : closing === '}' ? '{' : isScalar(node) && node.type === 'QUOTE_SINGLE' ? "'" : '"'
  })
  if (start === undefined || start > first.pos[0]) return undefined
  const hint = `close it with ${closing === '' ? opening : closing}`
  return {message: `this ${opening} is never closed`, spot: {start, end: start + 1}, hint}
}

/** Moves a place to visible text: the parser may report the blanks before a mistake, or the end. */
function visible(text: string, [start, end]: readonly [number, number]): Spot {
  const blanks = /^ +(?=\S)/.exec(text.slice(start))?.[0].length ?? 0
  const from = Math.min(start + blanks, Math.max(0, text.trimEnd().length - 1))
  return {start: from, end: Math.max(end, from + 1)}
}

/** Returns the offset of the first unresolved marker of a Git merge conflict, if there is one. */
function mergeConflictIn(text: string): number | undefined {
  const at = text.search(/^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|$)/m)
  return at === -1 ? undefined : at
}
