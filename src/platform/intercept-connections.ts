import {readSync} from 'node:fs'
import net from 'node:net'
import {orElse} from '../model/or-else.ts'

/** Field of a socket with its connection (Node 26: lib/net.js). */
export const HANDLE = '_handle'

/** Passes a connection's received bytes to `read` before a write fails: the other side may answer and close before it has read everything. */
export function readBeforeFailure(socket: net.Socket, buffer: Buffer, read: (count: number) => void): void {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = error => {
    for (let count = error && readNow(socket, buffer); count; count = readNow(socket, buffer)) read(count)
    return destroy(error)
  }
}

/** Returns the number of bytes, 0 without any. */
const readNow = (socket: net.Socket, buffer: Buffer): number =>
  orElse(() => readSync((Reflect.get(socket, HANDLE) as {readonly fd: number}).fd, buffer), 0)

/** Shows each connection to `take` before the listeners of a server, which get its result, if any. */
export function interceptConnections(server: net.Server, take: (socket: net.Socket) => net.Socket | undefined): void {
  const emit = server.emit.bind(server) as (...event: unknown[]) => boolean
  server.emit = (event: unknown, ...values: unknown[]): boolean => {
    const [socket] = values
    if (event !== 'connection' || !(socket instanceof net.Socket)) return emit(event, ...values)
    const taken = take(socket)
    return taken === undefined || emit(event, taken)
  }
}
