import {once} from 'node:events'
import net from 'node:net'
import {within} from '../../platform/delay.ts'
import {HANDLE} from '../../platform/intercept-connections.ts'
import {spareDescriptors} from '../../platform/spare-descriptors.ts'

/** Connections to claimed servers that no server handles yet. */
const pending = new WeakMap<net.Server, Set<net.Socket>>()

/**
 * Maximum number of connections that wait to be accepted: the system's limit (listen(2): `net.core.somaxconn`), as with Go's servers.
 * libuv accepts one connection per turn of the event loop; further ones may be reset.
 */
export const BACKLOG = 65_535

/**
 * A server for an address that is bound now and served later. Connections that arrive in the meantime are kept, unread,
 * until `attach` or `release`: no connection is accepted and then lost.
 */
export function createClaim(): net.Server {
  const server = net.createServer({allowHalfOpen: true, pauseOnConnect: true, noDelay: true})
  const sockets = new Set<net.Socket>()
  pending.set(server, sockets)
  return server.on('connection', (socket: net.Socket) => {
    if (pending.has(server)) sockets.add(socket)
  })
}

const onUnixSockets = new WeakSet<object>()

/** Whether a connection came over a unix domain socket: file permissions protect it, so any Host header is accepted. */
export const isOnUnixSocket = (connection: object): boolean => onUnixSockets.has(connection)

/** Serves the claimed address with `server`, starting with the connections that have already arrived. `warn` is called when there are too many. */
export function attach(claim: net.Server, server: net.Server, warn?: (text: string) => void): void {
  const isPath = typeof claim.address() === 'string'
  spareDescriptors(isPath ? claim : server, warn)
  const accept = (socket: net.Socket): void => {
    if (isPath) onUnixSockets.add(socket)
    socket.resume() // reading begins in the next tick
    server.emit('connection', socket)
  }
  // The handle of a unix domain socket cannot be passed on (Node 26).
  if (isPath) claim.on('connection', accept)
  else server.listen(claim, BACKLOG) // listening again without the number would set the backlog to 511
  const sockets = pending.get(claim) ?? []
  pending.delete(claim)
  for (const socket of sockets) accept(socket)
}

/**
 * Takes the address from `server`, which keeps its connections. New ones wait for the next owner; none is refused. `owners`: the claims
 * that the server was attached to. Undefined for a unix domain socket.
 */
export function takeOver(server: net.Server, owners: readonly net.Server[]): net.Server | undefined {
  const handle = Reflect.get(server, HANDLE) as object | null
  if (handle === null || typeof server.address() === 'string') return undefined
  const claim = createClaim()
  claim.listen(handle, BACKLOG)
  for (const each of [server, ...owners]) if (Reflect.get(each, HANDLE) === handle) Reflect.set(each, HANDLE, null)
  return claim
}

/** Releases the address, and closes the connections that have already arrived. */
export function release(claim: net.Server): void {
  claim.close()
  for (const socket of pending.get(claim) ?? []) socket.destroy()
}

/** How long opened connections may take to be accepted, in ms. */
const ACCEPT_MS = 500

/** Closes an address that `server` serves. First it accepts the connections that the system has opened, and would reset. */
export async function closeServed(claim: net.Server, server: net.Server | undefined): Promise<void> {
  let accepted = 0
  server?.on('connection', () => accepted++)
  const end = performance.now() + ACCEPT_MS
  // each turn of the event loop accepts one (libuv); the first turn may be half over
  for (let quiet = 0; quiet < 2 && performance.now() < end;) {
    const before = accepted
    await new Promise(setImmediate)
    quiet = before === accepted ? quiet + 1 : 0
  }
  server?.close()
  release(claim)
}

/** How long the heir of a port may take to bind an address, in ms. */
const HEIR_MS = 500

/** Lets another run bind an address, and waits for that. */
export async function offer({address, port}: Partial<net.AddressInfo>, heir: net.Socket | undefined): Promise<void> {
  if (heir?.write(`${address} ${port}`) === true)
    await within(HEIR_MS, Promise.race([once(heir, 'data'), once(heir, 'close')]))
}

/** The address and the port of a server; empty if it does not listen at a port. */
export function boundAt(server: net.Server | undefined): Partial<net.AddressInfo> {
  const at = server?.address() ?? ''
  return typeof at === 'object' ? at : {}
}
