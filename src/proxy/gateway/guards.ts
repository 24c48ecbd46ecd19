import {isIP} from 'node:net'
import {isLoopback} from '../../model/address.ts'
import {timingSafeEqual} from 'node:crypto'

/** Returns whether a Host header, or the authority of an Origin, is a name or address of this machine that the sidecar accepts. */
export type IsAllowedHost = (authority: string) => boolean

/** Matches `host`, `host:port`, `[ipv6]` and `[ipv6]:port` (RFC 3986 §3.2), without user information. */
const AUTHORITY = /^(?:\[([^[\]]*)\]|([^:@[\]]*))(?::\d{0,5})?$/

/** Returns the host of an authority in lower case; '': malformed. IPv6 addresses may lack brackets. */
export const hostOf = (authority: string): string => {
  const lower = authority.toLowerCase()
  const [, address = '', name = ''] = AUTHORITY.exec(lower) ?? []
  if (name !== '') return name
  return isIP(address) === 6 ? address : isIP(lower) === 6 ? lower : ''
}

/**
 * Returns the check that protects a sidecar against DNS rebinding: a web page whose own host name resolves to this machine. A sidecar that
 * listens on all addresses accepts any IP address as Host, since rebinding needs a name.
 */
export const hostGuard = (allowed: readonly string[]): IsAllowedHost => {
  const names = new Set(allowed.map(hostOf).filter(host => host !== ''))
  const isAnywhere = allowed.some(each => ['0.0.0.0', '::', '[::]'].includes(each))
  let last = ''
  return authority => {
    if (authority === last) return true
    const host = hostOf(authority)
    const isAllowed = isLoopback(host) || names.has(host) || (isAnywhere && isIP(host) !== 0)
    if (isAllowed) last = authority
    return isAllowed
  }
}

/** Whether a request comes from a web page of another origin. */
export const isCrossOrigin = (origin: string, fetchSite: string, isAllowedHost: IsAllowedHost): boolean => {
  if (fetchSite.toLowerCase() === 'cross-site') return true
  return origin !== '' && !isAllowedHost(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? 'null')
}

/** Compares tokens in constant time. */
export const isToken = (given: string, token: string): boolean => {
  const a = Buffer.from(given, 'latin1')
  const b = Buffer.from(token)
  return a.length === b.length && timingSafeEqual(a, b)
}
