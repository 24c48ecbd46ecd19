import {Composer, Lexer, Parser, type Document} from 'yaml'

/** The inside of the library's lexer, as far as Go's rules need it. */
interface LexerParts {
  /** Fewer blanks than this end what is being read. */
  indentNext: number
  readonly flowLevel: number
  readonly charAt: (offset: number) => string | undefined
  parseFlowCollection: () => Step
  parseQuotedScalar: () => Step
  pushIndicators: () => Generator<string, number>
  pushUntil: (isEnd: (character: string) => boolean) => Step
}

type Step = Generator<string, unknown>

/**
 * In brackets and quotes libyaml counts no indentation; a dash before a comma or a bracket is a text; a colon ends the name of an
 * anchor.
 */
function lexerLikeGo(): Lexer {
  const lexer = new Lexer()
  const parts = lexer as unknown as LexerParts
  const original = methodsOf(parts)
  function* atAnyIndent(parse: () => Step): Step {
    const indent = parts.indentNext
    parts.indentNext = 0
    const next = yield* parse()
    parts.indentNext = indent
    return next
  }
  parts.parseFlowCollection = () => atAnyIndent(original.parseFlowCollection)
  parts.parseQuotedScalar = () => atAnyIndent(original.parseQuotedScalar)
  parts.pushIndicators = function* () {
    const isText = parts.flowLevel > 0 && parts.charAt(0) === '-' && /[,[\]{}]/.test(parts.charAt(1) ?? '')
    return isText ? 0 : yield* original.pushIndicators()
  }
  parts.pushUntil = isEnd => {
    const isName = parts.charAt(0) === '*' || parts.charAt(0) === '&'
    return original.pushUntil(isName ? character => character === ':' || isEnd(character) : isEnd)
  }
  return lexer
}

const methodsOf = (parts: LexerParts): Omit<LexerParts, 'indentNext' | 'flowLevel' | 'charAt'> => ({
  parseFlowCollection: parts.parseFlowCollection.bind(parts),
  parseQuotedScalar: parts.parseQuotedScalar.bind(parts),
  pushIndicators: parts.pushIndicators.bind(parts),
  pushUntil: parts.pushUntil.bind(parts)
})

/** The documents of a text as the library's trees, with their errors; nothing is resolved. Lines end with `\n` or `\r\n`. */
export function* parseDocuments(text: string): Generator<Document.Parsed> {
  const parser = new Parser()
  Object.assign(parser, {lexer: lexerLikeGo()})
  const options = {version: '1.1', schema: 'failsafe', uniqueKeys: false, logLevel: 'silent'} as const
  for (const document of new Composer(options).compose(parser.parse(text), true, text.length)) {
    document.errors = document.errors.filter(({code, message}) => code !== 'MISSING_CHAR' || !isTightComment(message))
    yield document
  }
}

/** libyaml takes a comment right behind a quote, a bracket or the header of a block. */
const isTightComment = (message: string): boolean => message.startsWith('Comments must be separated')
