import {Composer, Lexer, Parser, type CST, type Document} from 'yaml'

/** The inside of the library's lexer, as far as Go's rules need it. */
interface LexerParts {
  /** Indentation below which the current node ends. */
  indentNext: number
  readonly flowLevel: number
  readonly charAt: (offset: number) => string | undefined
  /** Returns the offset of the next line's text if it continues a scalar, else -1. */
  continueScalar(offset: number): number
  parseFlowCollection(): Step
  readonly pushCount: (count: number) => Generator<string, number>
  pushIndicators(): Generator<string, number>
  pushUntil(isEnd: (character: string) => boolean): Step
}

type Step = Generator<string, unknown>

/** The lexer with libyaml's rules: no indentation in brackets and quotes; a dash before a comma or bracket is text; a colon ends an anchor's name. */
class LexerLikeGo extends (Lexer as unknown as new () => LexerParts) {
  override continueScalar(offset: number): number {
    const first = this.charAt(0)
    if (first !== '"' && first !== "'") return super.continueScalar(offset)
    const {indentNext} = this
    this.indentNext = 0
    const start = super.continueScalar(offset)
    this.indentNext = indentNext
    return start
  }

  override parseFlowCollection(): Step {
    this.indentNext = 0
    return super.parseFlowCollection()
  }

  override pushIndicators(): Generator<string, number> {
    const isText = this.flowLevel > 0 && this.charAt(0) === '-' && /[,[\]{}]/.test(this.charAt(1) ?? '')
    return isText ? this.pushCount(0) : super.pushIndicators()
  }

  override pushUntil(isEnd: (character: string) => boolean): Step {
    const first = this.charAt(0)
    return super.pushUntil(first === '*' || first === '&' ? each => each === ':' || isEnd(each) : isEnd)
  }
}

/** Maximum depth: the library recurses with several frames per level, and V8 has room for 750 levels. */
export const MAX_DEPTH = 500
/** Maximum height of the parser's stack: a little more than the depth, for the document and unfinished nodes. */
const MAX_STACK = MAX_DEPTH + 8

/**
 * Parses the documents of a text into the library's trees, with errors and without resolving. Lines end with `\n` or `\r\n`. A text
 * deeper than `MAX_DEPTH` is cut there: the library would take long and recurse too deep.
 */
export function* parseDocuments(text: string): Generator<Document.Parsed> {
  let end = text.length
  const parser = new Parser()
  const tokens = function* (): Generator<CST.Token> {
    for (const lexeme of (new LexerLikeGo() as unknown as Lexer).lex(text)) {
      yield* parser.next(lexeme)
      if (parser.stack.length <= MAX_STACK) continue
      end = parser.offset
      break
    }
    yield* parser.end()
  }
  const options = {version: '1.1', schema: 'failsafe', uniqueKeys: false, logLevel: 'silent'} as const
  for (const document of new Composer(options).compose(tokens(), true, text.length)) {
    document.errors = document.errors.filter(
      ({code, message, pos}) =>
        (code !== 'MISSING_CHAR' || !isTightComment(message)) && (end === text.length || pos[0] < end)
    )
    yield document
  }
}

/** Whether an error is about a comment right after a quote, a bracket or a block header, which libyaml accepts. */
const isTightComment = (message: string): boolean => message.startsWith('Comments must be separated')
