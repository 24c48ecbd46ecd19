import {isIP} from 'node:net'

/** Whether a host is the loopback address of this machine. `host`: in lower case and without brackets. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (host.startsWith('127.') && isIP(host) === 4)

/** Returns `host:port` as URLs contain it, with an IPv6 address in brackets (RFC 3986 §3.2.2). */
export const authorityOf = (host: string, port: number): string =>
  `${/^[^[]*:/.test(host) ? `[${host}]` : host}:${port}`

/** Returns the addresses at which a sidecar is reached from this machine; a wildcard address includes loopback. */
export function reachable(addresses: readonly string[]): readonly string[] {
  const named = addresses.filter(address => !['0.0.0.0', '::', '[::]'].includes(address))
  return named.length > 0 ? named : ['127.0.0.1', '::1']
}
