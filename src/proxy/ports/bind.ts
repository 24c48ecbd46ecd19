import {unlink} from 'node:fs/promises'
import net, {connect, type Server} from 'node:net'
import {join} from 'node:path'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {BACKLOG, boundAt, createClaim, release} from '../net/claimed-server.ts'
import {makeFolder} from '../../platform/make-folder.ts'
import {LOOPBACK} from '../../platform/probe.ts'

/** Protocol of a sidecar's API. */
export type Api = 'http' | 'grpc'

/** Returns the path of a sidecar's unix domain socket, with Dapr's file name (pkg/api/http/server.go, pkg/api/grpc/server.go). */
export const socketPath = (folder: string, appId: string, api: Api): string =>
  join(folder, `dapr-${appId}-${api}.socket`)

/**
 * Listens on a sidecar's unix domain socket. First removes the file of a run that was killed. Node deletes the file when the server closes.
 * Throws a `UserError` if another process listens there, or the folder is not writable.
 */
export async function listenOnSocket(folder: string, appId: string, api: Api): Promise<Server> {
  const path = socketPath(folder, appId, api)
  try {
    makeFolder(folder)
    if (await isDead(path)) await unlink(path)
    return await startListening(server => server.listen({path, backlog: BACKLOG}))
  } catch (error) {
    const why = codeOf(error) === 'EADDRINUSE' ? 'another process listens there' : messageOf(error)
    throw new UserError(`the socket of app "${appId}" cannot be opened at ${path}: ${why}`, {cause: error})
  }
}

/** Resolves with whether no process listens on the socket any more. */
const isDead = async (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(path)
    socket
      .on('connect', () => {
        socket.destroy()
        resolve(false)
      })
      .on('error', error => resolve(codeOf(error) === 'ECONNREFUSED'))
  })

/** Creates a server and waits until it listens. Connections wait until `attach` serves them. */
export const startListening = async (listenOf: (server: Server) => void): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createClaim()
    listenOf(server.once('error', reject).once('listening', () => resolve(server.off('error', reject))))
  })

type Servers = readonly Server[]

/** Maximum number of tries to find a port that is free on all addresses. If one address includes another, there is none. */
const TRIES = 20

/**
 * Listens on all addresses or on none. Skips the addresses of `bound`, and ::1 without IPv6. `port`: 0: any free port, the same on all
 * addresses. `isShared`: listens with SO_REUSEPORT (socket(7)), so that another run can listen at the same address.
 */
export async function listen(
  port: number,
  hosts: readonly string[],
  bound: Servers = [],
  isShared = false
): Promise<Servers> {
  const servers = [...bound]
  try {
    for (const host of hosts) {
      if (bound.some(each => boundAt(each).address === host)) continue
      try {
        servers.push(await listenOn(port === 0 ? portOf(servers) : port, host, isShared))
      } catch (error) {
        if (!(host === '::1' && NO_IPV6.has(codeOf(error)))) throw error
      }
    }
    return servers
  } catch (error) {
    close(servers)
    throw error
  }
}

/** Listens on any free port that is not reserved. */
export async function listenAnywhere(
  hosts: readonly string[],
  reserved: ReadonlySet<number>
): Promise<readonly Server[]> {
  for (let tries = 1; ; tries++) {
    try {
      const servers = await listen(0, hosts)
      if (servers.length === 0 || !reserved.has(portOf(servers))) return servers
      close(servers)
    } catch (error) {
      // the port was free at the first address, but not at another
      if (codeOf(error) !== 'EADDRINUSE' || tries === TRIES) throw error
    }
  }
}

const NO_IPV6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'])

const listenOn = async (port: number, host: string, isShared: boolean): Promise<Server> =>
  (await listenByHandle(port, host, isShared)) ??
  startListening(server => server.listen({port, host, backlog: BACKLOG, exclusive: true}))

/**
 * Listens without Node's check of the address, whose regular expression takes 6 ms to compile. Returns undefined if that fails: the caller
 * then listens by `server.listen`, which reports the reason.
 */
async function listenByHandle(port: number, host: string, isShared: boolean): Promise<Server | undefined> {
  const {_createServerHandle: create} = net as {readonly _createServerHandle?: CreateServerHandle}
  // leaves an invalid port to Node, which reports it: the kernel would use it modulo 65,536
  if (create === undefined || !LOOPBACK.includes(host) || !(port >= 0 && port < 65_536)) return undefined
  const handle = create(host, port, host.includes(':') ? 6 : 4, -1, isShared ? REUSE_PORT : 0)
  if (typeof handle === 'number') return undefined
  return startListening(server => server.listen(handle, BACKLOG)).catch(() => undefined)
}

/** Flag UV_TCP_REUSEPORT of libuv, which macOS refuses. */
const REUSE_PORT = 2

/** Node's internal function that creates a listening handle, made for node:cluster (node: lib/net.js). Returns a number for an error. */
type CreateServerHandle = (host: string, port: number, family: 4 | 6, fd: number, flags: number) => object | number

/** Returns the port of listening servers; 0: none. */
export const portOf = (servers: Servers): number => boundAt(servers[0]).port ?? 0

/** Closes the servers, which frees their addresses. */
export function close(servers: readonly Server[]): void {
  for (const server of servers) release(server)
}
