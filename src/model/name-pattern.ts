/**
 * Compiles a pattern in which `*` matches any text, also an empty one. Searches each part once, after the part before: a regular
 * expression would backtrack without end on `*a*a*a*b`.
 */
export function starPattern(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return text => text === pattern
  const [first = '', last = ''] = [parts[0], parts.at(-1)]
  const middle = parts.slice(1, -1)
  return text => {
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const part of middle) {
      const found = text.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

/** The characters that match at one place (true), or `*`: any number of any. */
export type Token = '*' | ((character: string) => boolean)

/** An inclusive range of characters. */
export type Range = readonly [from: string, to: string]

/**
 * Whether a whole text matches a pattern. `*` does not match the character `border`. Goes back only to the last `*`, so time is at most
 * the product of both lengths.
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
