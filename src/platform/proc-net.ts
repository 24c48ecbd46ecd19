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

/** The end of an address with this port, as the tables write it. */
export const portSuffix = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`
