import {rowOfPeer, socketTables, type Ends} from '../../platform/proc-net.ts'

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/

/**
 * Whether the other end of a connection belongs to a program of our user or of root, on this machine. Its owner is read from
 * the tables of proc(5); without them, any program on this machine is accepted.
 */
export function isOwnPeer(ends: Ends): boolean {
  if (!LOOPBACK.test(ends.remoteAddress ?? '')) return false
  const tables = socketTables()
  if (tables.trim() === '') return true
  const uid = rowOfPeer(tables, ends)?.uid
  return uid === 0 || (uid !== undefined && uid === process.getuid?.())
}
