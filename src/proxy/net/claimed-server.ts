import {once} from 'node:events'
import net from 'node:net'
import {within} from '../../platform/delay.ts'
import {HANDLE} from '../../platform/intercept-connections.ts'
import {spareDescriptors} from '../../platform/spare-descriptors.ts'

/** Connections that wait until their claim is served, by claim. */
const pending = new WeakMap<net.Server, Set<net.Socket>>()

/**
 * Maximum number of connections that wait to be accepted. As Go does, asks for more than the system's limit (listen(2):
 * `net.core.somaxconn`): libuv accepts one connection per turn of the event loop, and the kernel may reset connections beyond the backlog.
 */
export const BACKLOG = 65_535

/**
 * Creates a claim: a server that binds an address now, which another server serves later. Connections that arrive in the meantime wait,
 * unread, until `attach` or `release`, so that none is lost.
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

/** Whether a connection was made over a unix domain socket. File permissions protect it, so that any Host header is accepted. */
export const isOnUnixSocket = (connection: object): boolean => onUnixSockets.has(connection)

/** Lets `server` serve a claimed address, beginning with the waiting connections. `warn`: called if the process runs out of file descriptors. */
export function attach(claim: net.Server, server: net.Server, warn?: (text: string) => void): void {
  const isPath = typeof claim.address() === 'string'
  spareDescriptors(isPath ? claim : server, warn)
  const accept = (socket: net.Socket): void => {
    if (isPath) onUnixSockets.add(socket)
    socket.resume() // reading begins in the next tick, after `server` has added its listeners
    server.emit('connection', socket)
  }
  // Node 26 cannot pass the handle of a unix domain socket to another server
  if (isPath) claim.on('connection', accept)
  else server.listen(claim, BACKLOG) // without BACKLOG, Node would reset the backlog to 511
  const sockets = pending.get(claim) ?? []
  pending.delete(claim)
  for (const socket of sockets) accept(socket)
}

/**
 * Takes the bound address from `server`, which keeps its connections. Returns a claim in which new connections wait, so that none is
 * refused; undefined: the address is a unix domain socket. `owners`: claims to which the server was attached.
 */
export function takeOver(server: net.Server, owners: readonly net.Server[]): net.Server | undefined {
  const handle = Reflect.get(server, HANDLE) as object | null
  if (handle === null || typeof server.address() === 'string') return undefined
  const claim = createClaim()
  claim.listen(handle, BACKLOG)
  for (const each of [server, ...owners]) if (Reflect.get(each, HANDLE) === handle) Reflect.set(each, HANDLE, null)
  return claim
}

/** Closes a claim, which frees its address, and closes its waiting connections. */
export function release(claim: net.Server): void {
  claim.close()
  for (const socket of pending.get(claim) ?? []) socket.destroy()
}

/** Maximum time to accept connections that the kernel has already opened, in ms. */
const ACCEPT_MS = 500

/** Closes an address that `server` serves. First accepts the connections that the kernel has opened, since it would reset them. */
export async function closeServed(claim: net.Server, server: net.Server | undefined): Promise<void> {
  let accepted = 0
  server?.on('connection', () => accepted++)
  const end = performance.now() + ACCEPT_MS
  // libuv accepts one connection per turn of the event loop: two turns without a new one show that none is left
  for (let quiet = 0; quiet < 2 && performance.now() < end;) {
    const before = accepted
    await new Promise(setImmediate)
    quiet = before === accepted ? quiet + 1 : 0
  }
  server?.close()
  release(claim)
}

/** Maximum time for another run to bind an address, in ms. */
const SUCCESSOR_MS = 500

/** Asks a waiting run to bind an address, and waits until it answers. `successor`: connection to that run; undefined: no run waits. */
export async function offer(
  {address, port}: Partial<net.AddressInfo>,
  successor: net.Socket | undefined
): Promise<void> {
  if (successor?.write(`${address} ${port}`) === true)
    await within(SUCCESSOR_MS, Promise.race([once(successor, 'data'), once(successor, 'close')]))
}

/** Returns the address and port of a server; empty: it does not listen at a port. */
export function boundAt(server: net.Server | undefined): Partial<net.AddressInfo> {
  const at = server?.address() ?? ''
  return typeof at === 'object' ? at : {}
}
