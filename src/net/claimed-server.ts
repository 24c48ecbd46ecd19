import net from 'node:net'

/** What has connected to servers that nobody answers at yet. */
const early = new WeakMap<net.Server, Set<net.Socket>>()

/**
 * A server for an address that is bound now and answered later. What connects meanwhile is kept, unread, until
 * `promote` or `release`: nobody is accepted and then forgotten.
 */
export function createClaim(): net.Server {
  const server = net.createServer({allowHalfOpen: true, pauseOnConnect: true, noDelay: true})
  const sockets = new Set<net.Socket>()
  early.set(server, sockets)
  return server.on('connection', (socket: net.Socket) => {
    if (early.has(server)) sockets.add(socket)
  })
}

const onUnixSockets = new WeakSet<object>()

/** Whether a connection came over a unix domain socket: who can open that may speak, whatever its Host field says. */
export const isOnUnixSocket = (connection: object): boolean => onUnixSockets.has(connection)

/** Says the same of a connection that goes on as another one. */
export function inherit(from: object, to: object): void {
  if (onUnixSockets.has(from)) onUnixSockets.add(to)
}

/** From now on `server` answers at the address, those first who have come already. */
export function takeOver(claim: net.Server, server: net.Server): void {
  const isPath = typeof claim.address() === 'string'
  const accept = (socket: net.Socket): void => {
    if (isPath) onUnixSockets.add(socket)
    socket.resume() // from the next tick on
    server.emit('connection', socket)
  }
  // A unix domain socket's handle cannot be taken over (Node 26).
  if (isPath) claim.on('connection', accept)
  else server.listen(claim)
  const sockets = early.get(claim) ?? []
  early.delete(claim)
  for (const socket of sockets) accept(socket)
}

/** The address is free again, and who has come already is turned away. */
export function release(claim: net.Server): void {
  claim.close()
  for (const socket of early.get(claim) ?? []) socket.destroy()
}
