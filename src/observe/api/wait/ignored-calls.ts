import {UserError} from '../../../model/errors.ts'

/** Calls that do not count. */
export type IsIgnored = (call: {readonly method: string; readonly path: string}) => boolean

/**
 * Reads patterns such as `GET /poll*`: a method, or `*`, and a path in which `*` matches anything. Undefined: there is none. Throws a
 * UserError.
 */
export function readIgnored(patterns: readonly string[]): IsIgnored | undefined {
  if (patterns.length === 0) return undefined
  const all = patterns.map(pattern => {
    const [, method = '*', path] = /^(?:([A-Za-z]+|\*)\s+)?(\/.*)$/.exec(pattern.trim()) ?? []
    if (path === undefined)
      throw new UserError(`"${pattern}" names no calls`, {explanation: "Write a method and a path: 'GET /poll*'."})
    // without the query, unless the pattern has one
    return {method: method.toUpperCase(), path: globOf(path), hasQuery: path.includes('?')}
  })
  return call =>
    all.some(
      ({method, path, hasQuery}) =>
        (method === '*' || method === call.method) && path(hasQuery ? call.path : call.path.replace(/\?.*$/s, ''))
    )
}

/** Takes time that is linear in the text: each part is looked for once, from the left. */
function globOf(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*')
  const first = parts.shift() ?? ''
  const last = parts.pop()
  return text => {
    if (last === undefined) return text === first
    if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false
    let at = first.length
    for (const part of parts) {
      const found = text.indexOf(part, at)
      if (found < 0 || found + part.length > text.length - last.length) return false
      at = found + part.length
    }
    return true
  }
}
