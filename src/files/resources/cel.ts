import type {Environment, ParseError, ParseResult} from '@marcbachmann/cel-js'
import {messageOf} from '../../model/errors.ts'

/** Whether a text contains a match of a pattern of RE2. Throws for a wrong pattern. */
type Matches = (text: string, pattern: string) => boolean

/** Name under which parsed expressions call our `matches`: the library's own function cannot be replaced. */
const OURS = 'matchesRe2'
/** Maximum number of compiled patterns. There are few: almost all are literals of an expression. */
const MAX_PATTERNS = 16

let matches: Matches | undefined

/**
 * Replaces `matches` in expressions by RE2, as cel-go does: its time grows linearly with the text. JavaScript's patterns, which the
 * library would use, could take forever: with `(a+)+$` one event would block the whole run.
 */
export const withMatches = (environment: Environment): Environment =>
  environment
    .registerFunction(`string.${OURS}(string): bool`, (text: string, pattern: string) => matches?.(text, pattern))
    .registerFunction('matches(string, string): bool', (text: string, pattern: string) => matches?.(text, pattern))

/** Loads the code that an expression needs. */
export async function loadFor(expression: string): Promise<void> {
  if (expression.includes('matches')) matches ??= await loadMatches()
}

/** Reads an expression for an environment of `withMatches`, after `loadFor`. Throws the library's ParseError. */
export function parseExpression(environment: Environment, expression: string): ParseResult {
  const evaluate = environment.parse(expression)
  if (expression.includes('matches')) takeOurs(evaluate.ast)
  return evaluate
}

/** Returns the library's message about an expression, and its offset. The library draws the expression below its first line. */
export function problemIn(error: unknown): {readonly problem: string; readonly offset: number} {
  const [problem = ''] = messageOf(error).split('\n')
  return {problem, offset: (error as Partial<ParseError>).range?.start ?? 0}
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

/** Renames each call of `matches` to ours, in a tree of nodes and lists. */
function takeOurs(part: unknown): void {
  if (Array.isArray(part)) for (const each of part) takeOurs(each)
  else if (typeof part === 'object' && part !== null && 'op' in part && 'args' in part) {
    const {op, args} = part
    if (op === 'rcall' && Array.isArray(args) && args[0] === 'matches') args[0] = OURS
    takeOurs(args)
  }
}
