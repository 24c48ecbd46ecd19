import {RedisError} from './result.ts'

/** Maximum number of characters that the matches of one command compare again, which takes some 0.3 s. */
const STEPS = 25_000_000

/** Limits the total cost of the matches of one command, so that no pattern delays other commands. */
export class MatchBudget {
  #left = STEPS

  /** Counts `steps`, characters of the pattern. Throws a RedisError when the budget is used up. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new RedisError('ERR pattern takes too long to match, use fewer wildcards')
  }
}

/**
 * Matches Redis' glob patterns (`stringmatchlen`): `*`, `?`, `[a-z]`, `[^a]`; `\` escapes a character, a dot is ordinary. Only the last
 * `*` is tried again. That, and long classes, use up the budget; then a RedisError is thrown.
 */
export function matches(pattern: string, text: string, budget = new MatchBudget()): boolean {
  let at = 0
  let from = 0
  let star = -1
  let retry = 0
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = ++at
      retry = from
      continue
    }
    const next = at < pattern.length ? matchOne(pattern, at, text.charAt(from), budget) : -1
    if (next !== -1) {
      at = next
      from++
    } else if (star === -1) return false
    else {
      budget.spend(at - star + 1)
      at = star
      from = ++retry
    }
  }
  while (pattern[at] === '*') at++
  return at >= pattern.length
}

/** Returns the texts that match. Throws a RedisError if that costs too much. */
export function matching(texts: readonly string[], pattern: string): readonly string[] {
  const budget = new MatchBudget()
  return texts.filter(text => matches(pattern, text, budget))
}

/** Returns the position behind the element of the pattern at `at`; -1: the element does not match this character. */
function matchOne(pattern: string, at: number, character: string, budget: MatchBudget): number {
  const element = pattern[at]
  if (element === '?') return at + 1
  if (element === '[') return matchClass(pattern, at + 1, character, budget)
  if (element === '\\' && at + 1 < pattern.length) return pattern[at + 1] === character ? at + 2 : -1
  return element === character ? at + 1 : -1
}

function matchClass(pattern: string, start: number, character: string, budget: MatchBudget): number {
  let at = start
  const isNegated = pattern[at] === '^'
  if (isNegated) at++
  let isIn = false
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++
    const low = pattern.charAt(at)
    if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const high = pattern.charAt(at + 2)
      at += 2
      if ((low <= character && character <= high) || (high <= character && character <= low)) isIn = true
    } else if (low === character) isIn = true
  }
  budget.spend(at - start)
  return isIn === isNegated ? -1 : at + 1
}
