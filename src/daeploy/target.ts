/** A call to a service, taken apart. */
export interface Target {
  /** What follows `/services/`, as the caller wrote it: `<name>` or `<name>_<version>`. */
  readonly segment: string
  /** The same, decoded. */
  readonly name: string
  /** What the service gets: the rest of the path, at least `/`, and the query. */
  readonly path: string
}

const PREFIX = '/services/'

/** Reads who is meant by a path; undefined: it is none of a service's. Segments that begin with `~` are the manager's own. */
export function readTarget(path: string, query: string): Target | undefined {
  if (!path.startsWith(PREFIX) || path.length === PREFIX.length || path[PREFIX.length] === '~') return undefined
  const slash = path.indexOf('/', PREFIX.length)
  const segment = slash < 0 ? path.slice(PREFIX.length) : path.slice(PREFIX.length, slash)
  if (segment === '') return undefined
  return {segment, name: decoded(segment), path: (slash < 0 ? '/' : path.slice(slash)) + query}
}

/** A segment that cannot be decoded is nobody's name as it stands. */
function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

export interface Redirect {
  /** The value of the Location field. */
  readonly location: string
  /** The Host field of the request. */
  readonly host: string
  /** Of the instance that answered. */
  readonly name: string
  readonly version: string
  /** As the caller wrote it. */
  readonly segment: string
}

const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)(.*)$/i

/**
 * Where a service's redirect leads for its caller: on the same host it becomes a path behind the segment that the caller
 * used, for the SDK sends a Host without a port and frameworks know nothing of our prefix. Other hosts, other services and
 * path-relative places are left alone.
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

/** What follows a prefix of whole segments. */
function behind(place: string, prefix: string): string | undefined {
  if (!place.startsWith(prefix)) return undefined
  const rest = place.slice(prefix.length)
  return rest === '' || /^[/?#]/.test(rest) ? rest : undefined
}

/** `LOCALHOST:80` → `localhost`; `user@` in front is no part of it. */
function hostName(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase()
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : (host.split(':')[0] ?? '')
}
