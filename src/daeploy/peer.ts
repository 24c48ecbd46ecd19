import {readFileSync} from 'node:fs'
import type {Socket} from 'node:net'
import {parseSocketRow, portSuffix, SOCKET_TABLES} from '../platform/proc-net.ts'

/** The two ends of a connection, from our side. */
export type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/

/**
 * Whether the other end of a connection belongs to a program of our user or of root, on this machine. Its owner is read from
 * the tables of proc(5); without them, any program on this machine is accepted.
 */
export function isOwnPeer(ends: Ends): boolean {
  if (!LOOPBACK.test(ends.remoteAddress ?? '')) return false
  const tables = SOCKET_TABLES.map(textOf).join('\n')
  if (tables.trim() === '') return true
  const uid = ownerIn(tables, ends)
  return uid === 0 || (uid !== undefined && uid === process.getuid?.())
}

/** The user of the remote socket; undefined if no row matches. */
export function ownerIn(
  tables: string,
  {remoteAddress, remotePort, localAddress, localPort}: Ends
): number | undefined {
  const theirs = placesOf(remoteAddress, remotePort)
  const ours = placesOf(localAddress, localPort)
  for (const row of tables.split('\n')) {
    const {local, remote, uid} = parseSocketRow(row)
    if (theirs.includes(local) && ours.includes(remote)) return uid
  }
  return undefined
}

const PLAIN_IN_IPV6 = '0000000000000000FFFF0000'

/** An address and port in the format of the tables: 32-bit words in the machine's byte order; IPv4 also within IPv6. */
function placesOf(address = '', port = 0): readonly string[] {
  const suffix = portSuffix(port)
  if (address === '::1') return [`00000000000000000000000001000000${suffix}`]
  const bytes = address
    .replace(/^::ffff:/, '')
    .split('.')
    .map(Number)
  const word = bytes
    .map(byte => byte.toString(16).toUpperCase().padStart(2, '0'))
    .toReversed()
    .join('')
  return [word + suffix, PLAIN_IN_IPV6 + word + suffix]
}

function textOf(table: string): string {
  try {
    return readFileSync(table, 'utf8')
  } catch {
    return '' // not Linux, or no IPv6
  }
}
