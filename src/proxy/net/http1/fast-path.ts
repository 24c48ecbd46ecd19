import type {Server} from 'node:http'
import type net from 'node:net'
import {ChunkMerger} from './chunk-merger.ts'
import {FastConnection, type FastPathHost, type PlainRoute} from './fast-connection.ts'
import {isPreface, readable} from './first-line.ts'
import {KnownHeads} from './known-heads.ts'
import {readPlain, type PlainRequest} from './plain-request.ts'
import {changeReads} from '../../../platform/shared-reads.ts'

/**
 * The front of a node:http server: every connection starts here, and stays while its requests are plain. Refuses nothing: any other request
 * moves its connection to the server behind, which makes all strict checks.
 */
export class FastPath implements FastPathHost {
  isClosing = false
  readonly plain: PlainRoute
  readonly #headMs: number
  readonly #serveHttp2: ((socket: net.Socket) => void) | undefined
  readonly #known = new KnownHeads<PlainRequest>()
  readonly #connections = new Set<FastConnection>()
  readonly #accept: (socket: net.Socket) => void
  readonly #sweep: NodeJS.Timeout

  /** `headMs`: time limit for a request's first line. `serveHttp2`: takes over a connection that begins with the preface of HTTP/2. */
  constructor(server: Server, plain: PlainRoute, headMs: number, serveHttp2?: (socket: net.Socket) => void) {
    this.plain = plain
    this.#headMs = headMs
    this.#serveHttp2 = serveHttp2
    const [listener] = server.listeners('connection')
    if (listener === undefined) throw new Error('node:http listens to no connections')
    this.#accept = socket => listener.call(server, socket)
    const begin = (socket: net.Socket): void => void this.#connections.add(new FastConnection(this, socket))
    server.removeAllListeners('connection').on('connection', begin)
    this.#sweep = setInterval(() => this.#age(), 1000).unref()
  }

  read(text: string): PlainRequest | undefined {
    const {rules} = this.plain
    if (rules === undefined) return undefined
    const known = this.#known.find(text)
    if (known !== undefined) return known
    const request = readPlain(text, rules)
    if (request !== undefined) this.#known.add(request)
    return request
  }

  handOver(connection: FastConnection, socket: net.Socket, bytes: Buffer): void {
    this.#connections.delete(connection)
    if (this.#serveHttp2 !== undefined && isPreface(bytes)) {
      socket.pause()
      socket.unshift(bytes)
      return this.#serveHttp2(socket)
    }
    // lets node:http add its listeners before it gets the bytes
    this.#accept(socket)
    changeReads(socket, this.#changeOf(socket), bytes)
    socket.resume()
  }

  /** Returns the function that changes the bytes of a connection before node:http reads them. */
  #changeOf(socket: net.Socket): (read: Buffer) => Iterable<Buffer> {
    const merger = new ChunkMerger(line => readable(line, socket))
    let late: NodeJS.Timeout | undefined
    // gives a held line to node:http after a while, since its own time limit begins with the first byte that it gets
    const release = (): void => {
      if (socket.readable) socket.push(merger.release())
    }
    const headMs = this.#headMs
    return function* (read) {
      for (const piece of merger.merge(read)) {
        if (piece.length > 0 || !merger.isHolding) {
          clearTimeout(late)
          late = undefined
        }
        yield piece
      }
      if (merger.isHolding) late ??= setTimeout(release, headMs).unref()
    }
  }

  forget(connection: FastConnection): void {
    this.#connections.delete(connection)
  }

  /** Closes idle connections now, and others after their response. `keepsUnused`: connections without any bytes may still send a request. */
  close(keepsUnused: boolean): void {
    this.isClosing = true
    for (const connection of this.#connections) if (!connection.isBusy) connection.endIdle(keepsUnused)
  }

  /** Closes connections whose first line is overdue. A single timer checks all connections. */
  #age(): void {
    for (const connection of this.#connections)
      if (connection.isFresh && ++connection.age * 1000 > this.#headMs) connection.destroy()
    if (this.isClosing && this.#connections.size === 0) clearInterval(this.#sweep)
  }
}
