import {isIP} from 'node:net'

/** Whether a host is this machine, whatever its network; in lower case and without brackets. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (host.startsWith('127.') && isIP(host) === 4)
