import net from 'node:net'

/** The field of a socket that holds its connection (Node 26: lib/net.js). */
export const HANDLE = '_handle'

/** Lets `take` see each connection before the listeners of a server do: they get what it returns; undefined: none of it. */
export function interceptConnections(server: net.Server, take: (socket: net.Socket) => net.Socket | undefined): void {
  const emit = server.emit.bind(server) as (...event: unknown[]) => boolean
  server.emit = (event: unknown, ...values: unknown[]): boolean => {
    const [socket] = values
    if (event !== 'connection' || !(socket instanceof net.Socket)) return emit(event, ...values)
    const taken = take(socket)
    return taken === undefined || emit(event, taken)
  }
}
