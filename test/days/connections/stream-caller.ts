import http2, {type ClientHttp2Session, type ClientHttp2Stream} from 'node:http2'
import net from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import {bodyOf} from './body.ts'
import {END, watchEnd, type StreamApp} from './stream-app.ts'

const BODIES = [0, 1, 50, 20_000, 70_000, 300_000]

const nothing = (): void => undefined

interface Asked {
  readonly id: string
  readonly stream: ClientHttp2Stream
  /** What is to be sent of the body; undefined: all was. */
  rest: string | undefined
}

/** Opens streams on a connection, sends their bodies in pieces, reads the answers late, changes its settings, and leaves. */
export class StreamCaller {
  /** The requests whose streams are not closed. */
  readonly asked = new Map<string, Asked>()
  answered = 0
  readonly #random: Random
  readonly #port: number
  readonly #app: StreamApp
  #paused: ClientHttp2Stream[] = []
  #session: ClientHttp2Session
  #socket: net.Socket | undefined

  constructor(random: Random, port: number, app: StreamApp) {
    this.#random = random
    this.#port = port
    this.#app = app
    this.#session = this.#connect()
  }

  ask(id: string): void {
    const random = this.#random
    const session = this.#session
    if (session.connecting || session.closed || session.destroyed) return
    const method = random.oneIn(3) ? 'GET' : 'POST'
    const bytes = method === 'GET' ? 0 : random.pick(BODIES)
    const hasTrailers = method === 'POST' && random.oneIn(3)
    const path = `/${id}/${bytes}`
    const head = {
      ':method': method,
      ':path': path,
      'x-trailers': hasTrailers ? '1' : '0',
      'x-long': 'y'.repeat(random.oneIn(10) ? 30_000 : 3)
    }
    const stream = session.request(head, {endStream: method === 'GET', waitForTrailers: hasTrailers})
    const asked: Asked = {id, stream, rest: method === 'GET' ? undefined : bodyOf(id, bytes)}
    this.asked.set(id, asked)
    let text = ''
    let status = 0
    const isWhole = watchEnd(stream)
    stream
      .on('wantTrailers', () => stream.sendTrailers({'x-end': id}))
      .on('response', headers => (status = headers[':status'] ?? 0))
      .on('data', (piece: Buffer) => {
        text += piece.toString('latin1')
        if (this.#app.isWell || !random.oneIn(10)) return
        stream.pause()
        this.#paused.push(stream)
      })
      .on('error', nothing)
      .on('close', () => {
        this.asked.delete(id)
        if (isWhole() && stream.readableEnded && !this.#app.givenUp.has(id))
          this.#check(`${method} ${id}`, id, status, text)
      })
  }

  /** Sends more of the bodies, gives up a stream, reads on, or has other settings. */
  act(): string {
    const random = this.#random
    const some = random.pick([...this.asked.values()])
    switch (random.below(8)) {
      case 0:
        if (some === undefined || !random.oneIn(2)) return 'a caller: nothing'
        this.#app.givenUp.add(some.id)
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
        this.leave(random.oneIn(2))
        return 'a caller leaves'
      default:
        if (some !== undefined) this.#send(some, 1 + random.below(random.oneIn(2) ? 80_000 : 40))
        return `a caller sends more of ${some?.id ?? 'nothing'}`
    }
  }

  /** All is sent and read from now on. */
  recover(): void {
    if (!this.#session.destroyed && !this.#session.connecting) this.#session.settings({initialWindowSize: 1 << 20})
    for (const stream of this.#paused.splice(0)) stream.resume()
    for (const each of this.asked.values()) this.#send(each, Infinity)
  }

  leave(isSoft: boolean): void {
    if (isSoft) this.#session.close()
    else this.#socket?.destroy()
  }

  close(): void {
    this.#session.removeAllListeners('close').destroy()
  }

  #send(asked: Asked, bytes: number): void {
    const {rest, stream} = asked
    if (rest === undefined || stream.destroyed || stream.closed) return
    asked.rest = rest.length <= bytes ? undefined : rest.slice(bytes)
    if (asked.rest === undefined) stream.end(rest, 'latin1')
    else stream.write(rest.slice(0, bytes), 'latin1')
  }

  #connect(): ClientHttp2Session {
    const socket = net.connect(this.#port, '127.0.0.1')
    this.#socket = socket
    const session = http2.connect(`http://127.0.0.1:${this.#port}`, {
      createConnection: () => socket,
      settings: {
        initialWindowSize: this.#random.pick([0, 1, 65_535, 1 << 20]),
        headerTableSize: this.#random.pick([0, 4096])
      }
    })
    return session
      .on('error', (error: Error) => this.#failed(error))
      .on('goaway', (code: number) => {
        if (code !== 0) this.#app.faults.push(`a caller was told of a fault of it: GOAWAY ${code}`)
      })
      .on('frameError', nothing)
      .on('close', () => (this.#session = this.#connect()))
  }

  #failed(error: Error & {code?: string}): void {
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE' && error.code !== 'ECONNREFUSED')
      this.#app.faults.push(`a caller finds a fault: ${error.message}`)
  }

  #check(request: string, id: string, status: number, text: string): void {
    const {faults, received} = this.#app
    this.answered++
    if (status === 0) return void faults.push(`${id} has ended without an answer`)
    if (status !== 200) return
    if (!text.startsWith(`${id} `)) faults.push(`${id} got the answer ${text.slice(0, 20)}`)
    if (!text.endsWith(END)) faults.push(`${id} got a part of its answer as a whole`)
    if (!received.has(request)) faults.push(`${id} is answered, and has not come`)
  }
}
