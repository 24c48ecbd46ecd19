/* Header lines as text, and as pairs of names and values. Heads are latin1: a character is a byte, so any bytes of an app pass unchanged. */

const isBlank = (byte: number): boolean => byte === 32 || byte === 9

/** Part of a text without spaces and tabs around it. Not `trim()`, which also removes the byte A0. */
export const trimmed = (text: string, from = 0, to = text.length): string => {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** The elements of a comma-separated list (as in Connection), in lower case. */
export const wordsOf = (value: string): string[] =>
  value
    .toLowerCase()
    .split(',')
    .map(word => trimmed(word))
    .filter(word => word !== '')

/** Returns header lines as node:http's flat list of names and values. */
export const pairsOf = (lines: string): string[] => {
  const pairs: string[] = []
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(':', at)
    const end = lines.indexOf('\r\n', colon)
    pairs.push(lines.slice(at, colon), trimmed(lines, colon + 1, end))
    at = end + 2
  }
  return pairs
}

/** Returns the first value of a header (lower case) in alternating names and values; undefined without one. */
export const valueOf = (pairs: readonly string[], name: string): string | undefined => {
  const at = pairs.findIndex(
    (each, index) => index % 2 === 0 && each.length === name.length && each.toLowerCase() === name
  )
  return at < 0 ? undefined : pairs[at + 1]
}

/** Header lines without the headers of these names (lower case). */
export const withoutHeaders = (lines: string, names: readonly string[]): string => {
  const dropped = new Set(names) // a head may name thousands
  return lines
    .split('\r\n')
    .filter(line => line !== '' && !dropped.has(line.slice(0, line.indexOf(':')).toLowerCase()))
    .map(line => `${line}\r\n`)
    .join('')
}

/** Headers by their names; `nameOf` returns the spelling of each name. Values of a repeated header are a list. */
export const headersByName = (
  pairs: readonly string[],
  nameOf: (name: string) => string
): Record<string, string | string[]> => {
  const headers = Object.create(null) as Record<string, string | string[]>
  for (let at = 0; at < pairs.length; at += 2) {
    const name = nameOf(pairs[at] ?? '')
    const value = pairs[at + 1] ?? ''
    const known = headers[name]
    if (Array.isArray(known)) known.push(value)
    else headers[name] = known === undefined ? value : [known, value]
  }
  return headers
}

/**
 * Returns names and values for node:http, each name in its first spelling. Adds chunked coding to a body without a length: node:http does
 * not do that for GET and DELETE.
 */
export function asWritten(pairs: readonly string[], hasBody: boolean): Record<string, string | string[]> {
  const names = new Map<string, string>()
  const headers = headersByName(pairs, written => {
    const name = names.get(written.toLowerCase()) ?? written
    names.set(written.toLowerCase(), name)
    return name
  })
  return hasBody && !names.has('content-length') ? {...headers, 'Transfer-Encoding': 'chunked'} : headers
}
