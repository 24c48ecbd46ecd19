import {readFileSync} from 'node:fs'
import type net from 'node:net'

/** Descriptors that connections leave to the run, for its code, its logs and the processes of apps; at most a quarter of all. */
const SPARED = 32

/** The field of a socket that stands for its connection (Node 26: lib/net.js). */
const HANDLE = '_handle'

/** A connection with this descriptor, or a higher one, is not taken. */
let firstSpared: number | undefined

/**
 * Closes connections to this server that take one of the last descriptors. Without it, whoever opens many connections would keep
 * a run from loading its own code. The system gives the lowest number that is free (open(2)): it tells how many are left.
 */
export function spareDescriptors(server: net.Server): void {
  const emit = server.emit.bind(server) as (...event: unknown[]) => boolean
  server.emit = (event: unknown, ...values: unknown[]): boolean => {
    if (event !== 'connection' || descriptorOf(values[0]) < (firstSpared ??= findFirst())) return emit(event, ...values)
    ;(values[0] as net.Socket).destroy()
    return true
  }
}

function descriptorOf(socket: unknown): number {
  const handle = Reflect.get(Object(socket) as object, HANDLE) as {readonly fd?: number} | null | undefined
  return handle?.fd ?? -1
}

/** From the limit of this process (proc(5)), where the system tells it. */
function findFirst(): number {
  try {
    const all = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity)
    return all - Math.min(SPARED, Math.floor(all / 4))
  } catch {
    return Infinity
  }
}
