import {createServer, type Server, type Socket} from 'node:net'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {spareDescriptors} from '../../platform/spare-descriptors.ts'
import type {RedisEngine} from './engine/engine.ts'
import {introduction, QUESTION} from './identify.ts'
import {ServerConnection} from './server-connection.ts'

/** Error codes of a machine without IPv6. */
const NO_SUCH_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** Calls `serve` for a client, or passes the client on. Its first bytes can still be read. */
export type RouteClient = (client: Socket, serve: () => void) => void

/** Redis' protocol on the loopback addresses of one port. */
export class RedisServer {
  /** The port, once it is bound. */
  port = 0
  readonly #servers: Server[] = []
  readonly #connections = new Set<ServerConnection>()
  /** Clients that have sent a request before `serve`. */
  #early: Socket[] = []
  /** Clients that are not served here, or not yet. */
  readonly #unserved = new Set<Socket>()
  #engine: RedisEngine | undefined
  #route: RouteClient = (_, serve) => serve()

  /** The space of the keys, which `identify` of another run gets before the keys are read. */
  #space = ''

  private constructor() {}

  /** Binds 127.0.0.1 and, if there is one, ::1. Port 0 means any free port. Clients wait until `serve`. Throws a UserError if the port is taken. */
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
  serve(engine: RedisEngine, route = this.#route): void {
    engine.port = this.port
    this.#engine = engine
    this.#route = route
    // a client that has left does not count
    for (const socket of this.#early)
      if (socket.readable) route(socket, this.#serving(socket, engine))
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
    for (const socket of this.#unserved) socket.destroy()
    for (const connection of this.#connections) connection.close()
    await Promise.all(closed)
  }

  /** Resolves with the port; 0: the machine does not have this address. */
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

  /** Reads the beginning. A run that looks for the Redis of its copy waits neither for keys nor for a look-up of its process. */
  #accept(socket: Socket): void {
    const leave = (): void => void socket.destroy()
    this.#unserved.add(socket.on('error', () => {}))
    socket
      .on('close', () => this.#unserved.delete(socket))
      .once('end', leave)
      .once('data', bytes => {
        socket.off('end', leave)
        if (bytes.toString() === QUESTION) return void socket.end(introduction(this.#space))
        socket.pause().unshift(bytes)
        if (this.#engine === undefined) this.#early.push(socket)
        else this.#route(socket, this.#serving(socket, this.#engine))
      })
      .resume()
  }

  #serving(socket: Socket, engine: RedisEngine): () => void {
    return () => {
      // a server that closes drops its routed clients
      if (!this.#unserved.delete(socket)) return
      const connection = new ServerConnection(socket, engine)
      this.#connections.add(connection)
      socket.on('close', () => this.#connections.delete(connection)).resume()
    }
  }
}
