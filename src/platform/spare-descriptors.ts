import type net from 'node:net'
import {HANDLE, interceptConnections} from './intercept-connections.ts'
import {systemText} from './paths.ts'

/** Number of descriptors that connections leave for code, logs and processes of apps; at most a quarter of all. */
const SPARED = 32

/** All descriptors that this process may have. */
let all = Infinity
/** Whether it was reported that connections are closed. */
let hasWarned = false
/** Descriptor from which on connections are closed. */
let firstSpared: number | undefined

/**
 * Closes connections to this server that use one of the last descriptors: many connections would otherwise keep a run from loading its
 * code. The system assigns the lowest free number (open(2)), which shows how many are left. `warn` is called the first time.
 */
export function spareDescriptors(server: net.Server, warn?: (text: string) => void): void {
  interceptConnections(server, socket => {
    if (descriptorOf(socket) < (firstSpared ??= findFirst())) return socket
    socket.destroy()
    if (!hasWarned && warn !== undefined) {
      hasWarned = true
      warn(
        `connections are closed at once: this process may have ${all} files and connections open, and keeps the last ones for itself; raise the limit (ulimit -n) or open fewer connections`
      )
    }
    return undefined
  })
}

/** Returns the limit of connections for streams of HTTP/2, of all descriptors, so that endless streams leave some to others. */
export const maxOutgoing = (): number => {
  firstSpared ??= findFirst()
  return Math.floor(all / 4)
}

const descriptorOf = (socket: net.Socket): number =>
  (Reflect.get(socket, HANDLE) as {readonly fd?: number} | null)?.fd ?? -1

/** Computes the first spared descriptor from the limit of this process. */
function findFirst(): number {
  all = maxDescriptors()
  return all - Math.min(SPARED, Math.floor(all / 4))
}

/** Returns how many files and connections this process may open; Infinity if unknown. */
export function maxDescriptors(): number {
  const limits = systemText('/proc/self/limits')
  return limits === '' ? fromReport() : numberOf(/^Max open files +(\S+)/m.exec(limits)?.[1])
}

/** Reads the limit from Node's report on systems without proc(5). The report takes some 10 ms, so only the first need reads it. */
function fromReport(): number {
  const report: NodeJS.ProcessReport & {excludeNetwork?: boolean} = process.report
  const {excludeNetwork = false} = report
  try {
    report.excludeNetwork = true
    const {userLimits} = report.getReport() as {readonly userLimits?: {readonly open_files?: {readonly soft?: number}}}
    return numberOf(userLimits?.open_files?.soft)
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

/** `unlimited` is a word. */
const numberOf = (limit: string | number | undefined): number => Number(limit) || Infinity
