import {descriptorsOf, linkAt} from './listeners.ts'
import {parseSocketRow, portSuffix, socketTables} from './proc-net.ts'

const ESTABLISHED = '01'
const TIME_WAIT = '06'
/** Minimum number of closed connections that count: Pillion's own probes leave a few. */
const MIN_CLOSED = 5

/**
 * Whether programs other than ours connect to a port of this machine: they have connections, or have closed several in the last minute.
 * `isUsed`: we have connected to it, too, so closed ones may be ours. False if the system does not report them.
 */
export function isCalledDirectly(port: number, isUsed: boolean): boolean {
  const suffix = portSuffix(port)
  const rows = socketTables()
    .split('\n')
    .map(parseSocketRow)
    .filter(({remote}) => remote.endsWith(suffix))
  const open = rows.filter(({state}) => state === ESTABLISHED)
  const ours = open.length === 0 ? new Set() : new Set(descriptorsOf(process.pid).map(linkAt))
  if (open.some(({inode}) => !ours.has(`socket:[${inode}]`))) return true
  return !isUsed && rows.filter(({state}) => state === TIME_WAIT).length >= MIN_CLOSED
}
