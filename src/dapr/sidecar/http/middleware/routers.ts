import {RE2JS} from 're2js'
import {parse} from 'yaml'
import {messageOf} from '../../../../model/errors.ts'
import {orElse} from '../../../../model/or-else.ts'
import {segmentText} from '../go-path.ts'
import {plainError} from '../errors.ts'
import {MiddlewareFault, type Middleware} from './middleware.ts'

interface Alias {
  readonly pattern: RE2JS
  readonly names: readonly string[]
  readonly path: string
}

/**
 * Makes middleware that rewrites paths by `routes`, a map in JSON or YAML (Dapr: middleware/http/routeralias, with the paths of
 * gorilla/mux). `{name}` in a path matches one segment, `{name:pattern}` an RE2 pattern. The match is added to the query.
 */
export function routerAlias(metadata: ReadonlyMap<string, string>): Middleware {
  const aliases = Object.entries(routesIn(metadata.get('routes') ?? '{}')).map(([from, path]) => aliasOf(from, path))
  return request => {
    const [sent = ''] = request.url.split('?', 1)
    const query = request.url.slice(sent.length + 1)
    const path = segmentText(sent)
    for (const alias of aliases) {
      const match = alias.pattern.matcher(path)
      if (!match.find()) continue
      const values = alias.names.map((name, at): [string, string] => [name, match.group(at + 1) ?? ''])
      const added = new URLSearchParams(values).toString()
      const whole = [query, added].filter(part => part !== '').join('&')
      request.url = whole === '' ? alias.path : `${alias.path}?${whole}`
      return undefined
    }
    return undefined
  }
}

function routesIn(text: string): Readonly<Record<string, string>> {
  const routes: unknown = orElse<unknown>(() => parse(text), undefined)
  if (typeof routes !== 'object' || routes === null || Object.values(routes).some(path => typeof path !== 'string'))
    throw new MiddlewareFault('routes is not a map from paths to paths')
  return routes as Record<string, string>
}

function aliasOf(from: string, path: string): Alias {
  const names: string[] = []
  const source = from
    .split(/(\{[^{}]*\})/)
    .map(part => {
      const variable = /^\{([^:{}]+)(?::([^{}]*))?\}$/.exec(part)
      if (variable === null) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      names.push(variable[1] ?? '')
      return `(${variable[2] ?? '[^/]+'})`
    })
    .join('')
  try {
    return {pattern: RE2JS.compile(`^${source}$`), names, path: asTarget(path)}
  } catch {
    throw new MiddlewareFault(`the route ${from} cannot be read`)
  }
}

/** Escapes the path of a route for a request line, and adds a leading slash. */
const asTarget = (path: string): string =>
  (path.startsWith('/') ? path : `/${path}`).replaceAll(/[^!-~]+/g, text => encodeURIComponent(text.toWellFormed()))

const INVALID = plainError(400, 'invalid router')

/**
 * Makes middleware that passes only requests whose path and query match `rule` (Dapr: middleware/http/routerchecker). Rules are RE2
 * patterns, which no request can slow down by backtracking.
 */
export function routerChecker(metadata: ReadonlyMap<string, string>): Middleware {
  const rule = pattern(metadata.get('rule') ?? '')
  return ({url}) => (rule.test(url) ? undefined : INVALID)
}

function pattern(rule: string): RE2JS {
  try {
    return RE2JS.compile(rule)
  } catch (error) {
    throw new MiddlewareFault(`rule is not a regular expression: ${messageOf(error)}`)
  }
}
