import {existsSync} from 'node:fs'
import {rowOfPeer, SOCKET_TABLES, socketTables, type Ends} from '../../platform/proc-net.ts'

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/

/**
 * Whether the other end of a connection belongs to a program of our user or of root, on this machine. Its owner is read from
 * the tables of proc(5); a system without them accepts any program on this machine. If the tables cannot
 * be read, because no descriptor is left, every program is refused.
 */
export function isOwnPeer(ends: Ends): boolean {
  if (!LOOPBACK.test(ends.remoteAddress ?? '')) return false
  if (!SOCKET_TABLES.some(existsSync)) return true
  const uid = rowOfPeer(socketTables(), ends)?.uid
  return uid === 0 || (uid !== undefined && uid === process.getuid?.())
}
