/** The characters that match at one place (true), or `*`: any number of any. */
export type Token = '*' | ((character: string) => boolean)

/** The first and the last of some characters. */
export type Range = readonly [from: string, to: string]

/**
 * Whether a text fits a pattern from its first character to its last. Goes back to the last `*` only, so the time is at most
 * the product of both lengths, where a regular expression backtracks without end on `*a*a*a*b`. No `*` matches `border`.
 */
export function matchesName(text: string, pattern: readonly Token[], border = ''): boolean {
  const characters = Array.from(text)
  let [at, token, star, afterStar] = [0, 0, -1, 0]
  while (at < characters.length) {
    const expected = pattern[token]
    if (expected === '*') [star, afterStar, token] = [token, at, token + 1]
    else if (expected?.(characters[at] ?? '') === true) [at, token] = [at + 1, token + 1]
    else if (star === -1 || characters[afterStar] === border) return false
    else [afterStar, at, token] = [afterStar + 1, afterStar + 1, star + 1]
  }
  return pattern.slice(token).every(rest => rest === '*')
}

export const literal =
  (expected: string): Token =>
  character =>
    character === expected

export const anyOne: Token = () => true

export const oneOf =
  (ranges: readonly Range[], isNegated: boolean): Token =>
  character =>
    ranges.some(([from, to]) => from <= character && character <= to) !== isNegated
