import {SocketAddress, type Socket} from 'node:net'
import {systemText} from './paths.ts'

/** A row of `/proc/net/tcp` or `tcp6` (proc(5)). Addresses are `<hexadecimal address>:<hexadecimal port>`. */
export interface SocketRow {
  readonly local: string
  readonly remote: string
  /** `0A` = listening; `st` in the heading. */
  readonly state: string
  readonly uid: number
  readonly inode: string
}

export const SOCKET_TABLES = ['/proc/net/tcp', '/proc/net/tcp6']

export function parseSocketRow(row: string): SocketRow {
  const [, local = '', remote = '', state = '', , , , uid, , inode = ''] = row.trim().split(/\s+/)
  return {local, remote, state, uid: Number(uid), inode}
}

/** Returns the end of an address with this port, as the tables write it. */
export const portSuffix = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`

/** Parses a field of the tables, in which an address consists of words of 32 bits in the machine's byte order. */
export function listenPlaceIn(field: string): {readonly address: string; readonly port: number} {
  const [hex = '', port = ''] = field.split(':')
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(word => [...Buffer.from(word, 'hex')].toReversed())
  const v6 = Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':') ?? ''
  const address = bytes.length === 4 ? bytes.join('.') : new SocketAddress({address: v6, family: 'ipv6'}).address
  return {address: address.replace(/^::ffff:(?=\d+\.)/, ''), port: Number.parseInt(port, 16)}
}

/** The two ends of a connection, from our side. */
export type Ends = Partial<Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>>

/** Copies the ends of a connection, which a socket no longer has once it is closed. */
export const copiedEnds = ({remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0}: Ends) => ({
  remoteAddress,
  remotePort,
  localAddress,
  localPort
})

/** Whether both ends of a connection are on this machine. */
export const isLocal = ({remoteAddress, localAddress}: Ends): boolean =>
  remoteAddress !== undefined && remoteAddress === localAddress

/** Returns the text of all tables; '' if the system has none. */
export const socketTables = (): string => SOCKET_TABLES.map(systemText).join('\n')

/**
 * Returns the row of the socket at the other end of a connection. Undefined if it is on another machine, in a container, or closed: a
 * closed socket has no inode, and the kernel soon shows it as root's.
 */
export function rowOfPeer(
  tables: string,
  {remoteAddress, remotePort, localAddress, localPort}: Ends
): SocketRow | undefined {
  const theirs = placesOf(remoteAddress, remotePort)
  const ours = placesOf(localAddress, localPort)
  for (const row of tables.split('\n')) {
    const socket = parseSocketRow(row)
    if (theirs.includes(socket.local) && ours.includes(socket.remote)) return socket.inode === '0' ? undefined : socket
  }
  return undefined
}

const PLAIN_IN_IPV6 = '0000000000000000FFFF0000'

/** Returns an address and port in the formats of the tables: 32-bit words in the machine's byte order; IPv4 also within IPv6. */
function placesOf(address = '', port = 0): readonly string[] {
  const suffix = portSuffix(port)
  if (address === '::1') return [`00000000000000000000000001000000${suffix}`]
  const word = ipv4Bytes(address)
    .map(byte => byte.toString(16).toUpperCase().padStart(2, '0'))
    .toReversed()
    .join('')
  return [word + suffix, PLAIN_IN_IPV6 + word + suffix]
}

/** Returns the four numbers of an IPv4 address, also of one within IPv6 (`::ffff:127.0.0.1`). */
export const ipv4Bytes = (address: string): number[] =>
  address
    .replace(/^::ffff:/, '')
    .split('.')
    .map(Number)
