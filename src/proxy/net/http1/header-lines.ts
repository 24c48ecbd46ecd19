/* Converts header lines between text and pairs of names and values. Heads are latin1: each character is a byte, so that any bytes pass unchanged. */

const isBlank = (byte: number): boolean => byte === 32 || byte === 9

/** Returns a part of a text without the spaces and tabs around it. (`trim()` would also remove the byte A0.) */
export const trimmed = (text: string, from = 0, to = text.length): string => {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** Returns the elements of a comma-separated list, as in Connection, in lower case. */
export const wordsOf = (value: string): string[] =>
  value
    .toLowerCase()
    .split(',')
    .map(word => trimmed(word))
    .filter(word => word !== '')

/** Returns header lines as a flat list, as node:http uses it: names and values alternate. */
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

/** Returns the first value of a header; undefined: missing. `pairs`: names and values alternate. `name`: in lower case. */
export const valueOf = (pairs: readonly string[], name: string): string | undefined => {
  const at = pairs.findIndex(
    (each, index) => index % 2 === 0 && each.length === name.length && each.toLowerCase() === name
  )
  return at < 0 ? undefined : pairs[at + 1]
}

/** Returns header lines without the headers of these names. `names`: in lower case. */
export const withoutHeaders = (lines: string, names: readonly string[]): string => {
  const dropped = new Set(names) // a Connection header may name thousands
  return lines
    .split('\r\n')
    .filter(line => line !== '' && !dropped.has(line.slice(0, line.indexOf(':')).toLowerCase()))
    .map(line => `${line}\r\n`)
    .join('')
}

/** Returns headers by their names; the values of a repeated header are a list. `nameOf`: returns the spelling of a name as key. */
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

/** Returns headers for node:http, each name in its first spelling. A body without a length gets chunked coding, which GET and DELETE would lack. */
export function asWritten(pairs: readonly string[], hasBody: boolean): Record<string, string | string[]> {
  const names = new Map<string, string>()
  const headers = headersByName(pairs, written => {
    const name = names.get(written.toLowerCase()) ?? written
    names.set(written.toLowerCase(), name)
    return name
  })
  return hasBody && !names.has('content-length') ? {...headers, 'Transfer-Encoding': 'chunked'} : headers
}
