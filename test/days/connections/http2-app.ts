import {once} from 'node:events'
import http2, {type Http2Server, type ServerHttp2Session, type ServerHttp2Stream} from 'node:http2'
import type {AddressInfo, Socket} from 'node:net'
import type {Random} from '../../fuzz/random.ts'

/** Errors of a lost connection, and of settings that are changed too often. */
const HARMLESS = new Set(['ECONNRESET', 'EPIPE', 'ERR_HTTP2_MAX_PENDING_SETTINGS_ACK'])

export const nothing = (): void => undefined

/** An app of HTTP/2 that changes its settings, delays its answers and ends connections whenever it likes. */
export abstract class Http2App {
  readonly faults: string[] = []
  /** From now on it answers all requests at once. */
  isWell = false
  protected readonly random: Random
  /** Streams that are not closed. */
  protected readonly openStreams = new Set<ServerHttp2Stream>()
  /** Parts of answers that it delays. */
  protected readonly later: (() => void)[] = []
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #sockets = new Set<Socket>()
  #server: Http2Server = http2.createServer()
  #port = 0

  constructor(random: Random) {
    this.random = random
  }

  get port(): number {
    return this.#port
  }

  async listen(): Promise<void> {
    const {random} = this
    const settings = {
      initialWindowSize: random.pick([0, 1, 100, 65_535, 1 << 20]),
      maxConcurrentStreams: random.pick([1, 3, 100]),
      headerTableSize: random.pick([0, 100, 4096])
    }
    this.#server = http2
      .createServer({settings})
      .on('connection', (socket: Socket) => {
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
      })
      .on('session', session => this.#take(session))
      .on('sessionError', (error: Error & {code?: string}) => {
        if (!HARMLESS.has(error.code ?? '')) this.faults.push(`the app finds a fault: ${error.message}`)
      })
      .on('stream', (stream: ServerHttp2Stream, head: http2.IncomingHttpHeaders) => {
        this.openStreams.add(stream)
        stream.on('error', nothing).on('close', () => this.openStreams.delete(stream))
        this.serve(stream, head)
      })
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Ends its process: nothing listens until it is opened again. */
  end(): void {
    this.#server.close()
    this.cut()
  }

  /** Ends its connections. A session that is destroyed would report first that its streams have ended. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Does one of the things that it does whenever it likes. */
  act(): string {
    const {random} = this
    const session = random.pick([...this.#sessions])
    switch (random.below(8)) {
      case 0:
        if (this.#sockets.size === 0 || !random.oneIn(4)) return 'the app: nothing'
        random.pick([...this.#sockets]).destroy()
        return 'the app: destroys a connection'
      case 1:
        if (session === undefined || session.destroyed || !random.oneIn(2)) return 'the app: nothing'
        this.leave(session)
        return 'the app: leaves a connection'
      case 2: {
        if (session === undefined || session.destroyed) return 'the app: nothing'
        const settings = {
          initialWindowSize: random.pick([0, 1, 50, 65_535, 1 << 20]),
          maxConcurrentStreams: random.pick([0, 1, 2, 50]),
          headerTableSize: random.pick([0, 4096, 8192])
        }
        session.settings(settings)
        return `the app: ${JSON.stringify(settings)}`
      }
      default:
        this.later.splice(random.below(this.later.length || 1), 1)[0]?.()
        return 'the app: goes on'
    }
  }

  /** Sends all delayed parts, and accepts any number of calls. */
  recover(): void {
    this.isWell = true
    for (const session of this.#sessions)
      if (!session.destroyed) session.settings({initialWindowSize: 1 << 20, maxConcurrentStreams: 100})
    for (const later of this.later.splice(0)) later()
  }

  protected leave(session: ServerHttp2Session): void {
    session.close()
  }

  /** Answers a request in any way. */
  protected abstract serve(stream: ServerHttp2Stream, head: http2.IncomingHttpHeaders): void

  #take(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.on('error', nothing).on('close', () => this.#sessions.delete(session))
    session.on('goaway', (code: number) => {
      if (code !== 0) this.faults.push(`the app was told of a fault of it: GOAWAY ${code}`)
    })
  }
}
