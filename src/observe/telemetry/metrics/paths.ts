import {uriDecoded} from '../../../model/or-else.ts'

/** A pattern of Go's `http.ServeMux`. */
interface Pattern {
  readonly text: string
  /** undefined: any text. */
  readonly segments: readonly (string | undefined)[]
  /** Whether the pattern also matches all paths below it. */
  readonly isPrefix: boolean
}

/** Parses a pattern. `{name...}` or a slash at its end matches the rest of a path; `{$}` matches only the slash before it. */
function parsePattern(text: string): Pattern {
  const parts = text.slice(1).split('/')
  const last = parts.at(-1) ?? ''
  const isPrefix = last === '' || /^\{[^}]+\.\.\.\}$/.test(last)
  const kept = isPrefix ? parts.slice(0, -1) : parts.map(part => (part === '{$}' ? '' : part))
  return {text, isPrefix, segments: kept.map(part => (/^\{[^}]*\}$/.test(part) ? undefined : part))}
}

function matches({segments, isPrefix}: Pattern, path: readonly string[]): boolean {
  if (isPrefix ? path.length < segments.length : path.length !== segments.length) return false
  return segments.every((segment, index) => (segment === undefined ? path[index] !== '' : segment === path[index]))
}

/** Orders patterns that match the same path: the longer first, then the one with a literal at the first difference. */
function compare(a: Pattern, b: Pattern): number {
  for (const [index, segment] of a.segments.entries()) {
    if (index >= b.segments.length) return -1
    const other = b.segments[index]
    if ((segment === undefined) !== (other === undefined)) return segment === undefined ? 1 : -1
  }
  if (a.segments.length !== b.segments.length) return 1
  return Number(a.isPrefix) - Number(b.isPrefix)
}

/** Returns the path of a request's target: decoded, without the query. */
function pathOf(target: string): string {
  const at = target.indexOf('?')
  return uriDecoded(at < 0 ? target : target.slice(0, at))
}

/** Merges slashes, and adds a leading one (Dapr: NormalizeHTTPPath). */
export function normalizePath(path: string): string {
  const merged = path.includes('//') ? path.replace(/\/{2,}/g, '/') : path
  return merged.startsWith('/') ? merged : `/${merged}`
}

/** Routes that are always used as labels (Dapr: diagnostics/utils, StaticPaths). */
const STATIC_PATHS = new Set(['/dapr/config', '/dapr/metrics', '/dapr/subscribe', '/healthz'])

/** Paths as values of the label `path` (Dapr: pkg/diagnostics/http_monitoring.go, getMetricsPath). */
export class PathLabels {
  readonly #patterns: readonly Pattern[]
  readonly #isFull: boolean

  /** The values of `pathMatching` and `increasedCardinality` in `spec.metrics.http`. With the latter, paths that match no pattern are labels, too. */
  constructor(pathMatching: readonly string[], isFull: boolean) {
    const written = pathMatching.map(normalizePath)
    const invoked = written
      .filter(path => !path.startsWith('/v1.0/invoke/'))
      .map(path => `/v1.0/invoke/{app_id}/method${path}`)
    this.#patterns = [...new Set([...written, ...invoked])].map(parsePattern).toSorted(compare)
    this.#isFull = isFull
  }

  /** Returns the label of a path without its query; may be empty. */
  label(path: string): string {
    if (STATIC_PATHS.has(path)) return path
    if (path === '') return ''
    const normal = normalizePath(path)
    const short = shorten(normal)
    return this.#match(normal) || this.#matchShort(normal, short) || (this.#isFull ? short : '')
  }

  /** Returns the common part of requests with one label. Leaves out keys and ids unless a pattern may name them. */
  alike(target: string): string {
    const path = pathOf(target)
    return this.#patterns.length === 0 && HAS_IDS.test(path) ? shorten(normalizePath(path)) : path
  }

  #matchShort(path: string, short: string): string {
    const matched = short === path ? '' : this.#match(short)
    return matched === '/' ? '' : matched
  }

  #match(path: string): string {
    if (this.#patterns.length === 0) return ''
    const segments = path.slice(1).split('/')
    const found = this.#patterns.find(pattern => matches(pattern, segments))
    if (found !== undefined) return found.text
    // like a redirect of ServeMux to a subtree
    return this.#patterns.find(({text}) => text === `${path}/`)?.text ?? ''
  }
}

/** Paths that `shorten` changes. */
const HAS_IDS = /^\/+(?:v1[^/]*\/+(?:state|secrets|actors|workflows)|actors)\//

/** Removes keys and ids of Dapr's own API (pkg/diagnostics/http_monitoring_legacy.go, convertPathToMetricLabel). */
function shorten(path: string): string {
  const [version = '', api = '', name, ...rest] = path.slice(1).split('/')
  if (name === undefined) return path
  if (version === 'actors') return [version, api, '{id}', ...rest].join('/')
  switch (api) {
    case 'state':
    case 'secrets':
      return `/${version}/${api}/${name}`
    case 'actors':
      return rest.length < 2 ? path : `/${version}/${api}/${name}/{id}/${rest[1] ?? ''}`
    case 'workflows':
      return rest.length === 0 ? path : `/${version}/${api}/${name}/${shortenWorkflow(rest)}`
    default:
      return path
  }
}

function shortenWorkflow([id = '', verb, event]: readonly string[]): string {
  if (verb === undefined) return '{instanceId}'
  if (event === undefined && verb.startsWith('start')) return `${id}/start`
  return verb === 'raiseEvent' && event ? `{instanceId}/${verb}/{eventName}` : `{instanceId}/${verb}`
}
