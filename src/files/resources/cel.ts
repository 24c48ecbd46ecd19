import type {Environment, ParseResult} from '@marcbachmann/cel-js'

/** Whether a text contains what a pattern of RE2 describes. Throws for a wrong pattern. */
type Matches = (text: string, pattern: string) => boolean

/** The name of our `matches` in an expression that was read: the library's own cannot be replaced. */
const OURS = 'matchesRe2'
/** Patterns are almost always written in the expression: few. */
const MAX_PATTERNS = 16

let matches: Matches | undefined

/**
 * Lets the expressions of an environment ask `matches` with patterns of RE2, as cel-go does, which take time in proportion to
 * the text. Those of JavaScript, which the library would take, can take forever: `(a+)+$`, and one event stops the run.
 */
export const withMatches = (environment: Environment): Environment =>
  environment
    .registerFunction(`string.${OURS}(string): bool`, (text: string, pattern: string) => matches?.(text, pattern))
    .registerFunction('matches(string, string): bool', (text: string, pattern: string) => matches?.(text, pattern))

/** Reads an expression for an environment of `withMatches`. Throws the library's ParseError. */
export async function parseExpression(environment: Environment, expression: string): Promise<ParseResult> {
  const evaluate = environment.parse(expression)
  if (!expression.includes('matches')) return evaluate
  matches ??= await loadMatches()
  takeOurs(evaluate.ast)
  return evaluate
}

async function loadMatches(): Promise<Matches> {
  const {RE2JS} = await import('re2js')
  const compiled = new Map<string, ReturnType<typeof RE2JS.compile>>()
  return (text, pattern) => {
    let known = compiled.get(pattern)
    if (known === undefined) {
      known = RE2JS.compile(pattern)
      if (compiled.size >= MAX_PATTERNS) compiled.clear()
      compiled.set(pattern, known)
    }
    return known.matcher(text).find()
  }
}

/** Renames each call of `matches` in a tree of nodes and lists of them. */
function takeOurs(part: unknown): void {
  if (Array.isArray(part)) for (const each of part) takeOurs(each)
  else if (typeof part === 'object' && part !== null && 'op' in part && 'args' in part) {
    const {op, args} = part
    if (op === 'rcall' && Array.isArray(args) && args[0] === 'matches') args[0] = OURS
    takeOurs(args)
  }
}
