import {UserError} from '../../../model/errors.ts'
import {starPattern} from '../../../model/name-pattern.ts'

export type IsIgnored = (call: {readonly method: string; readonly path: string}) => boolean

/** Parses patterns such as `GET /poll*`: a method or `*`, and a path in which `*` matches anything. Undefined for an empty list. Throws a UserError. */
export function readIgnored(patterns: readonly string[]): IsIgnored | undefined {
  if (patterns.length === 0) return undefined
  const all = patterns.map(pattern => {
    const [, method = '*', path] = /^(?:([A-Za-z]+|\*)\s+)?(\/.*)$/.exec(pattern.trim()) ?? []
    if (path === undefined)
      throw new UserError(`"${pattern}" names no calls`, {explanation: "Write a method and a path: 'GET /poll*'."})
    // the query of a call is compared only if the pattern has one
    return {method: method.toUpperCase(), path: starPattern(path), hasQuery: path.includes('?')}
  })
  return call =>
    all.some(
      ({method, path, hasQuery}) =>
        (method === '*' || method === call.method) && path(hasQuery ? call.path : call.path.replace(/\?.*$/s, ''))
    )
}
