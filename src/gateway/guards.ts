import {isIP} from 'node:net'
import {timingSafeEqual} from 'node:crypto'

/** Whether a Host field, or the authority of an Origin, names this machine as its owner allows. */
export type IsOurs = (authority: string) => boolean

/** `host`, `host:port`, `[ipv6]`, `[ipv6]:port` (RFC 3986 §3.2), without user information. */
const AUTHORITY = /^(?:\[([^[\]]*)\]|([^:@[\]]*))(?::\d{0,5})?$/

/** The host of an authority in small letters, '' where it is none. An address of IPv6 may stand without brackets. */
const hostOf = (authority: string): string => {
  const lower = authority.toLowerCase()
  const [, address = '', name = ''] = AUTHORITY.exec(lower) ?? []
  if (name !== '') return name
  return isIP(address) === 6 ? address : isIP(lower) === 6 ? lower : ''
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (host.startsWith('127.') && isIP(host) === 4)

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::' || address === '[::]'

/**
 * Guards against pages of the web that reach a sidecar through a name of their own that resolves to this machine (DNS
 * rebinding). A sidecar that listens everywhere is named by any address: rebinding needs a name. An empty name is nobody's.
 */
export const hostGuard = (allowed: readonly string[]): IsOurs => {
  const names = new Set(allowed.map(hostOf).filter(host => host !== ''))
  const isAnywhere = allowed.some(isWildcard)
  let last = ''
  return authority => {
    if (authority === last) return true
    const host = hostOf(authority)
    const isOurs = isLoopback(host) || names.has(host) || (isAnywhere && isIP(host) !== 0)
    if (isOurs) last = authority
    return isOurs
  }
}

/** Whether a request that changes us comes from a page of somebody else's. */
export const isFromElsewhere = (origin: string, fetchSite: string, isOurs: IsOurs): boolean => {
  if (fetchSite.toLowerCase() === 'cross-site') return true
  return origin !== '' && !isOurs(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? 'null')
}

/** Compares tokens in a time that tells nothing of them. */
export const isToken = (given: string, token: string): boolean => {
  const a = Buffer.from(given, 'latin1')
  const b = Buffer.from(token)
  return a.length === b.length && timingSafeEqual(a, b)
}
