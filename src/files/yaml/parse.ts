import {Composer, Lexer, Parser, type CST, type Document} from 'yaml'

/** The inside of the library's lexer, as far as Go's rules need it. */
interface LexerParts {
  /** Fewer blanks than this end what is being read. */
  indentNext: number
  readonly flowLevel: number
  readonly charAt: (offset: number) => string | undefined
  /** Returns where the text of the next line begins, if it belongs to a scalar; else -1. */
  continueScalar(offset: number): number
  parseFlowCollection(): Step
  readonly pushCount: (count: number) => Generator<string, number>
  pushIndicators(): Generator<string, number>
  pushUntil(isEnd: (character: string) => boolean): Step
}

type Step = Generator<string, unknown>

/**
 * In brackets and quotes libyaml counts no indentation; a dash before a comma or a bracket is a text; a colon ends the name of an
 * anchor.
 */
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

/** No reader calls itself more often: the library takes several frames for a level, and V8 has room for 750 levels of them. */
export const MAX_DEPTH = 500
/** The parser's stack at a value of this depth is a little higher: by the document, and what has begun in it. */
const MAX_STACK = MAX_DEPTH + 8

/**
 * The documents of a text as the library's trees, with their errors; nothing is resolved. Lines end with `\n` or `\r\n`. A text that is nested deeper
 * than `MAX_DEPTH` ends there: the library takes long for it, and calls itself for each level.
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

/** libyaml takes a comment right behind a quote, a bracket or the header of a block. */
const isTightComment = (message: string): boolean => message.startsWith('Comments must be separated')
