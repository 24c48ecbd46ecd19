/**
 * Compiles a pattern in which `*` matches any text, also an empty one. Each part is sought once, behind the one before: a
 * regular expression backtracks without end on `*a*a*a*b`.
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
