import {createServer, type Server, type Socket} from 'node:net'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {spareDescriptors} from '../../proxy/net/spare-descriptors.ts'
import type {RedisEngine} from './engine/engine.ts'
import {introduction, QUESTION} from './identify.ts'
import {ServerConnection} from './server-connection.ts'

/** Error codes of a machine without IPv6. */
const NO_SUCH_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** Serves a client, which is not read yet, or passes it on. */
export type RouteClient = (client: Socket, serve: () => void) => void

/** Redis' protocol on the loopback addresses of one port. */
export class RedisServer {
  /** The port; known once it is bound. */
  port = 0
  readonly #servers: Server[] = []
  readonly #connections = new Set<ServerConnection>()
  /** Clients that came before there was an engine, unread. */
  #early: Socket[] = []
  /** Clients that are not served here, or not yet. */
  readonly #routed = new Set<Socket>()
  #engine: RedisEngine | undefined
  #route: RouteClient | undefined

  /** The space of the keys: another run that asks for it does not wait until they are read. */
  #space = ''

  private constructor() {}

  /**
   * Binds 127.0.0.1 and, where there is one, ::1. Port 0 takes a free one. Clients wait until `serve`. Throws a UserError if
   * the port is taken.
   */
  static async bind(port: number, space = ''): Promise<RedisServer> {
    const bound = new RedisServer()
    bound.#space = space
    try {
      bound.port = await bound.#listen('127.0.0.1', port)
      await bound.#listen('::1', bound.port)
      return bound
    } catch (error) {
      await bound.close()
      const why = codeOf(error) === 'EADDRINUSE' ? 'another process listens there' : messageOf(error)
      throw new UserError(`Redis cannot listen on port ${port}: ${why}`, {cause: error})
    }
  }

  /** Starts to answer. */
  serve(engine: RedisEngine, route: RouteClient = (_, serve) => serve()): void {
    engine.port = this.port
    this.#engine = engine
    this.#route = route
    // a gone client does not count
    for (const socket of this.#early)
      if (socket.readable) this.#accept(socket.removeAllListeners('data'))
      else socket.destroy()
    this.#early = []
  }

  /** Closes the port and all connections, after their answers are written. */
  async close(): Promise<void> {
    const closed = this.#servers.map(
      async server =>
        new Promise<void>(resolve => {
          server.close(() => resolve())
        })
    )
    for (const socket of [...this.#early, ...this.#routed]) socket.destroy()
    for (const connection of this.#connections) connection.close()
    await Promise.all(closed)
  }

  /** Returns the port; 0 if the machine has no such address. */
  async #listen(host: string, port: number): Promise<number> {
    const server = createServer({allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true}, socket =>
      this.#accept(socket)
    )
    spareDescriptors(server)
    return new Promise((resolve, reject) => {
      server
        .once('error', error => (NO_SUCH_ADDRESS.has(codeOf(error)) ? resolve(0) : reject(error)))
        .listen({host, port, ipv6Only: true}, () => {
          this.#servers.push(server.on('error', () => {})) // a connection that cannot be accepted: the client sees it
          const address = server.address()
          resolve(typeof address === 'object' && address !== null ? address.port : port)
        })
    })
  }

  #accept(socket: Socket): void {
    if (this.#engine === undefined) {
      this.#early.push(socket.on('error', () => {}))
      const answer = (bytes: Buffer): unknown =>
        bytes.toString() === QUESTION ? socket.end(introduction(this.#space)) : socket.pause().unshift(bytes)
      socket.once('data', answer).resume()
      return
    }
    const engine = this.#engine
    this.#routed.add(socket.pause())
    socket.on('close', () => this.#routed.delete(socket))
    this.#route?.(socket, () => this.#serve(socket, engine))
  }

  #serve(socket: Socket, engine: RedisEngine): void {
    // a server that closes drops its routed clients
    if (!this.#routed.delete(socket)) return
    const connection = new ServerConnection(socket, engine)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection)).resume()
  }
}
