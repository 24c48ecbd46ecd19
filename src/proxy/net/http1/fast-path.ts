import type {Server} from 'node:http'
import type net from 'node:net'
import {ChunkMerger} from './chunk-merger.ts'
import {FastConnection, type FastPathHost} from './fast-connection.ts'
import {isPreface, keepQuery, readable} from './first-line.ts'
import {KnownHeads} from './known-heads.ts'
import {readPlain, type PlainRequest, type PlainRules} from './plain-request.ts'
import {changeReads, shareReads} from './shared-reads.ts'

export interface FastPathOptions {
  /** Which requests are plain; undefined: none is. */
  readonly rules: PlainRules | undefined
  /** See `FastPathHost.needsBody`; default: none does. */
  readonly needsBody?: (request: PlainRequest) => boolean
  /** See `FastPathHost.route`. */
  readonly route: (request: PlainRequest, connection: FastConnection) => boolean
  /** Time until the first request has arrived, in ms. */
  readonly headMs: number
  /** Takes over a connection whose first line is that of HTTP/2. */
  readonly otherProtocol?: (socket: net.Socket) => void
}

/**
 * Stands before a node:http server: every connection starts here, and stays as long as its requests are plain. It rejects
 * nothing and waits for nothing but the first line; all strict checks are in the server behind it.
 */
export class FastPath implements FastPathHost {
  isClosing = false
  readonly #options: FastPathOptions
  readonly #known = new KnownHeads<PlainRequest>()
  readonly #connections = new Set<FastConnection>()
  readonly #accept: (socket: net.Socket) => void
  readonly #sweep: NodeJS.Timeout

  constructor(server: Server, options: FastPathOptions) {
    this.#options = options
    const [listener] = server.listeners('connection')
    if (listener === undefined) throw new Error('node:http listens to no connections')
    this.#accept = socket => {
      listener.call(server, socket)
    }
    shareReads(server)
    server.removeAllListeners('connection').on('connection', (socket: net.Socket) => {
      this.#connections.add(new FastConnection(this, socket))
    })
    this.#sweep = setInterval(() => this.#age(), 1000).unref()
  }

  read(text: string): PlainRequest | undefined {
    const {rules} = this.#options
    if (rules === undefined) return undefined
    const known = this.#known.find(text)
    if (known !== undefined) return known
    const request = readPlain(text, rules)
    if (request !== undefined) this.#known.add(request)
    return request
  }

  needsBody(request: PlainRequest): boolean {
    return this.#options.needsBody?.(request) === true
  }

  route(request: PlainRequest, connection: FastConnection): boolean {
    return this.#options.route(request, connection)
  }

  handOver(connection: FastConnection, socket: net.Socket, bytes: Buffer): void {
    this.#connections.delete(connection)
    const {otherProtocol} = this.#options
    if (otherProtocol !== undefined && isPreface(bytes)) {
      socket.pause()
      socket.unshift(bytes)
      return otherProtocol(socket)
    }
    // First node's listeners, then the bytes.
    this.#accept(socket)
    keepQuery(socket, bytes)
    const merger = new ChunkMerger()
    changeReads(socket, read => merger.merge(read))
    socket.unshift(merger.merge(readable(bytes)))
    socket.resume()
  }

  forget(connection: FastConnection): void {
    this.#connections.delete(connection)
  }

  /** Closes idle connections; the others close after their response. */
  close(): void {
    this.isClosing = true
    clearInterval(this.#sweep)
    for (const connection of this.#connections) if (!connection.isBusy) connection.endIdle()
  }

  /** One timer for all connections without a complete first line, instead of one for each. */
  #age(): void {
    for (const connection of this.#connections)
      if (connection.isFresh && ++connection.age * 1000 > this.#options.headMs) connection.destroy()
  }
}
