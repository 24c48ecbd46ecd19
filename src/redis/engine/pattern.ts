/**
 * Matches Redis' glob patterns (`stringmatchlen`): `*`, `?`, `[a-z]`, `[^a]`, `\` takes the next character literally. A
 * dot is an ordinary character. Linear but for one `*`: only the last one is tried again.
 */
export function matches(pattern: string, text: string): boolean {
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
    const next = at < pattern.length ? matchOne(pattern, at, text.charAt(from)) : -1
    if (next !== -1) {
      at = next
      from++
    } else if (star === -1) return false
    else {
      at = star
      from = ++retry
    }
  }
  while (pattern[at] === '*') at++
  return at >= pattern.length
}

/** The position behind the element of the pattern at `at` if it matches this character, else -1. */
function matchOne(pattern: string, at: number, character: string): number {
  const element = pattern[at]
  if (element === '?') return at + 1
  if (element === '[') return matchClass(pattern, at + 1, character)
  if (element === '\\' && at + 1 < pattern.length) return pattern[at + 1] === character ? at + 2 : -1
  return element === character ? at + 1 : -1
}

function matchClass(pattern: string, start: number, character: string): number {
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
  return isIn === isNegated ? -1 : at + 1
}
