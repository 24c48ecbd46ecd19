import http2, {type ClientHttp2Session, type ClientHttp2Stream} from 'node:http2'
import net from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import {nothing, type Http2App} from './http2-app.ts'

/** Errors of a lost connection, and of settings that are changed too often. */
const HARMLESS = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNREFUSED',
  'ERR_SOCKET_CLOSED',
  'ERR_HTTP2_MAX_PENDING_SETTINGS_ACK'
])

/** A request as its caller knows it. */
export interface Asked {
  readonly id: string
  readonly stream: ClientHttp2Stream
  /** Rest of the body; undefined: all was sent. */
  rest: string | undefined
}

/** Opens streams on a connection, sends their bodies in pieces, reads the answers late, changes its settings, and leaves. */
export abstract class Http2Caller<App extends Http2App, Request extends Asked> {
  /** The requests whose streams are not closed. */
  readonly asked = new Map<string, Request>()
  protected readonly random: Random
  protected readonly app: App
  readonly #port: number
  readonly #paused: ClientHttp2Stream[] = []
  /** Its connection ends, and another one follows. */
  #hasLeft = false
  #session: ClientHttp2Session
  #socket: net.Socket | undefined

  constructor(random: Random, port: number, app: App) {
    this.random = random
    this.#port = port
    this.app = app
    this.#session = this.#connect()
  }

  /** Sends more of the bodies, gives up a stream, reads on, or has other settings. */
  act(): string {
    const {random} = this
    const some = random.pick([...this.asked.values()])
    switch (random.below(8)) {
      case 0:
        if (some === undefined || !random.oneIn(2)) return 'a caller: nothing'
        this.giveUp(some)
        some.stream.close(random.pick([8, 2]))
        return `a caller gives up ${some.id}`
      case 1:
        if (this.#session.destroyed || this.#session.connecting) return 'a caller: nothing'
        this.#session.settings({initialWindowSize: random.pick([0, 1, 50, 65_535, 1 << 20])})
        return 'a caller has another window'
      case 2:
        for (const stream of this.#paused.splice(0)) stream.resume()
        return 'a caller reads on'
      case 3:
        if (!random.oneIn(10)) return 'a caller: nothing'
        this.#leave()
        if (random.oneIn(2)) this.#session.close()
        else this.#socket?.destroy()
        return 'a caller leaves'
      default:
        if (some !== undefined) this.send(some, 1 + random.below(random.oneIn(2) ? 80_000 : 40))
        return `a caller sends more of ${some?.id ?? 'nothing'}`
    }
  }

  /** Sends and reads everything from now on. */
  recover(): void {
    if (!this.#session.destroyed && !this.#session.connecting) this.#session.settings({initialWindowSize: 1 << 20})
    for (const stream of this.#paused.splice(0)) stream.resume()
    for (const each of this.asked.values()) this.send(each, Infinity)
  }

  close(): void {
    this.#session.removeAllListeners('close').destroy()
  }

  /** Notes that the caller gives up a request. */
  protected abstract giveUp(asked: Request): void

  /** Its connection; undefined: it has none now. */
  protected get session(): ClientHttp2Session | undefined {
    const {connecting, closed, destroyed} = this.#session
    return this.#hasLeft || connecting || closed || destroyed ? undefined : this.#session
  }

  protected send(asked: Request, bytes: number): void {
    const {rest, stream} = asked
    if (rest === undefined || stream.destroyed || stream.closed) return
    asked.rest = rest.length <= bytes ? undefined : rest.slice(bytes)
    if (asked.rest === undefined) stream.end(rest, 'latin1')
    else stream.write(rest.slice(0, bytes), 'latin1')
  }

  /** Sometimes reads no more of an answer for a while. */
  protected mayPause(stream: ClientHttp2Stream): void {
    if (this.app.isWell || !this.random.oneIn(10)) return
    stream.pause()
    this.#paused.push(stream)
  }

  #leave(): void {
    this.#hasLeft = true
    for (const each of this.asked.values()) this.giveUp(each)
  }

  #connect(): ClientHttp2Session {
    this.#hasLeft = false
    const socket = net.connect(this.#port, '127.0.0.1')
    this.#socket = socket
    const session = http2.connect(`http://127.0.0.1:${this.#port}`, {
      createConnection: () => socket,
      settings: {
        initialWindowSize: this.random.pick([0, 1, 65_535, 1 << 20]),
        headerTableSize: this.random.pick([0, 4096])
      }
    })
    return session
      .on('error', (error: Error & {code?: string}) => {
        this.#leave()
        if (!HARMLESS.has(error.code ?? '')) this.app.faults.push(`a caller finds a fault: ${error.message}`)
      })
      .on('goaway', (code: number) => {
        if (code !== 0) this.app.faults.push(`a caller was told of a fault of it: GOAWAY ${code}`)
      })
      .on('frameError', nothing)
      .on('close', () => (this.#session = this.#connect()))
  }
}
