import {Composer, Lexer, Parser, type Document, type LineCounter} from 'yaml'
import {mergeConflictIn} from './merge-conflict.ts'

type Options = ConstructorParameters<typeof Composer>[0] & {readonly lineCounter?: LineCounter}

type Tokens = ReturnType<Parser['parse']>
type Documents = readonly [Document.Parsed, ...Document.Parsed[]]

/** The members of the library's lexer by which it decides how far a continued line must be indented. */
interface Indentation {
  indentNext: number
  parseFlowCollection: () => Generator<string, unknown>
  parseQuotedScalar: () => Generator<string, unknown>
}

/** A lexer for which no indentation counts within quotes and brackets, as for Go's yaml (scannerc.go of yaml.v2). */
function goLexer(): Lexer {
  const lexer = new Lexer()
  const indentation = lexer as unknown as Indentation
  for (const name of ['parseFlowCollection', 'parseQuotedScalar'] as const) {
    const read = indentation[name]
    indentation[name] = function* () {
      const {indentNext} = indentation
      indentation.indentNext = 0
      const next = yield* read.call(indentation)
      indentation.indentNext = indentNext
      return next
    }
  }
  return lexer
}

const isBroken = ({errors}: Document): boolean => errors.length > 0

/** How many documents stand before the first one with a mistake. */
const countOfValid = (documents: readonly Document[]): number => {
  const at = documents.findIndex(isBroken)
  return at < 0 ? documents.length : at
}

/**
 * The documents of a text; at least one. What the library refuses and Go's yaml takes is read as Go does; mistakes have the
 * places that the library gives them.
 */
export function yamlDocuments(text: string, options: Options): Documents {
  const documents = composed(new Parser(options.lineCounter?.addNewLine).parse(text), text, options)
  // the marks of a Git merge conflict are text to Go where they are within quotes
  if (!documents.some(isBroken) || mergeConflictIn(text) !== undefined) return documents
  const lenient = composed(goTokens(text), text, options)
  return countOfValid(lenient) > countOfValid(documents) ? lenient : documents
}

/** The composer gives a document also for an empty text. */
const composed = (tokens: Tokens, text: string, options: Options): Documents =>
  [...new Composer(options).compose(tokens, true, text.length)] as unknown as Documents

function* goTokens(text: string): Tokens {
  const parser = new Parser()
  for (const lexeme of goLexer().lex(text)) yield* parser.next(lexeme)
  yield* parser.end()
}
