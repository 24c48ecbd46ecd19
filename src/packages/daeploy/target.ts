import {orElse} from '../../model/or-else.ts'

/** The parsed path of a call to a service. */
export interface ServiceTarget {
  /** Segment after `/services/` as the caller has written it: `<name>` or `<name>_<version>`. */
  readonly segment: string
  /** Decoded segment. */
  readonly name: string
  /** Path for the service: the rest of the path, at least `/`, with the query. */
  readonly path: string
}

const PREFIX = '/services/'

/** Parses a path; undefined: not a call to a service. Segments that start with `~` belong to the manager. */
export function readTarget(path: string, query: string): ServiceTarget | undefined {
  if (!path.startsWith(PREFIX) || path.length === PREFIX.length || path[PREFIX.length] === '~') return undefined
  const slash = path.indexOf('/', PREFIX.length)
  const segment = slash < 0 ? path.slice(PREFIX.length) : path.slice(PREFIX.length, slash)
  if (segment === '') return undefined
  return {segment, name: decoded(segment), path: (slash < 0 ? '/' : path.slice(slash)) + query}
}

/** Decodes a segment. Returns an invalid one unchanged. */
function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  return orElse(() => decodeURIComponent(segment), segment)
}

export interface Redirect {
  /** Value of the Location header. */
  readonly location: string
  /** Host header of the request. */
  readonly host: string
  /** Name of the instance that responded. */
  readonly name: string
  readonly version: string
  /** Segment as the caller has written it. */
  readonly segment: string
}

const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)(.*)$/i

/**
 * Rewrites a service's redirect for its caller. A redirect to the same host becomes a path below the caller's segment, since frameworks do not know
 * the prefix, and the SDK sends a Host without a port. Redirects to other hosts or services, and relative paths, stay unchanged.
 */
export function rewriteLocation({location, host, name, version, segment}: Redirect): string {
  const absolute = ABSOLUTE.exec(location)
  const isSchemeless = absolute === null && location.startsWith('//')
  if (isSchemeless || (absolute === null && !location.startsWith('/'))) return location
  if (absolute !== null && hostName(absolute[1] ?? '') !== hostName(host)) return location
  const place = absolute === null ? location : rooted(absolute[2] ?? '')
  const rest = behind(place, `${PREFIX}${name}_${version}`) ?? behind(place, `${PREFIX}${name}`)
  if (rest === undefined && place.startsWith(PREFIX)) return place
  return PREFIX + segment + (rest ?? place)
}

const rooted = (place: string): string => (place.startsWith('/') ? place : `/${place}`)

/** Returns the rest of a path after a prefix of whole segments; undefined: it does not begin with the prefix. */
function behind(place: string, prefix: string): string | undefined {
  if (!place.startsWith(prefix)) return undefined
  const rest = place.slice(prefix.length)
  return rest === '' || /^[/?#]/.test(rest) ? rest : undefined
}

/** Returns the host of an authority in lower case, without user and port: `LOCALHOST:80` → `localhost`. */
function hostName(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase()
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : (host.split(':')[0] ?? '')
}
