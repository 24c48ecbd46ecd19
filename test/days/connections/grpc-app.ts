import {once} from 'node:events'
import http2, {type Http2Server, type ServerHttp2Session, type ServerHttp2Stream} from 'node:http2'
import type {AddressInfo, Socket} from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import {messageOf, Messages} from './grpc-messages.ts'

const {NGHTTP2_REFUSED_STREAM} = http2.constants
const CODES = [0, 2, 7, 8, 11]
const SIZES = [0, 10, 300, 20_000, 200_000, 300_000]

/** Of a connection that is lost, and of settings that are changed too often. */
const HARMLESS = new Set(['ECONNRESET', 'EPIPE', 'ERR_HTTP2_MAX_PENDING_SETTINGS_ACK'])

const nothing = (): void => undefined

/** An app of gRPC that answers in any way, changes its settings and ends streams and connections whenever it likes. */
export class GrpcApp {
  /** All that have come. */
  readonly #calls: {readonly messages: Messages; readonly stream: ServerHttp2Stream}[] = []
  readonly faults: string[] = []
  readonly #streams = new Set<ServerHttp2Stream>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #sockets = new Set<Socket>()
  readonly #random: Random
  readonly #later: (() => void)[] = []
  /** From now on it answers whatever comes, and at once. */
  #isWell = false
  #server: Http2Server = http2.createServer()
  #port = 0

  constructor(random: Random) {
    this.#random = random
  }

  get port(): number {
    return this.#port
  }

  /** How often a call has come; what the app refuses, or comes behind a GOAWAY that is on its way, does not count. */
  received(id: string): number {
    return this.#calls.filter(({messages, stream}) => messages.id === id && stream.rstCode !== NGHTTP2_REFUSED_STREAM)
      .length
  }

  /**
   * Those that are not over. Node may keep one that we have reset while it writes, and behind a GOAWAY of its own may not notice that a
   * connection has ended.
   */
  get streams(): readonly ServerHttp2Stream[] {
    return [...this.#streams].filter(({closed, session}) => !closed && session?.closed === false)
  }

  async open(): Promise<void> {
    const random = this.#random
    const settings = {
      initialWindowSize: random.pick([0, 100, 65_535, 1 << 20]),
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
      .on('stream', (stream: ServerHttp2Stream, head: http2.IncomingHttpHeaders) => this.#serve(stream, head))
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Its process ends: nothing listens until it is opened again. */
  end(): void {
    this.#server.close()
    this.cut()
  }

  /** Its connections end; a session that is destroyed would say first that its streams have ended. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Does one of the things that it does whenever it likes. */
  act(): string {
    const random = this.#random
    const session = random.pick([...this.#sessions])
    switch (random.below(8)) {
      case 0:
        if (this.#sockets.size === 0 || !random.oneIn(4)) return 'the app: nothing'
        random.pick([...this.#sockets]).destroy()
        return 'the app: destroys a connection'
      case 1:
        if (session === undefined || session.destroyed || !random.oneIn(2)) return 'the app: nothing'
        if (random.oneIn(3)) session.goaway(0)
        else session.close()
        return 'the app: says GOAWAY'
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
        this.#later.splice(random.below(this.#later.length || 1), 1)[0]?.()
        return 'the app: goes on'
    }
  }

  /** It ends what it holds back, and takes any number of calls. */
  recover(): void {
    this.#isWell = true
    for (const session of this.#sessions)
      if (!session.destroyed) session.settings({initialWindowSize: 1 << 20, maxConcurrentStreams: 100})
    for (const later of this.#later.splice(0)) later()
  }

  #take(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.on('error', nothing).on('close', () => this.#sessions.delete(session))
    session.on('goaway', (code: number) => {
      if (code !== 0) this.faults.push(`the app was told of a fault of it: GOAWAY ${code}`)
    })
  }

  #serve(stream: ServerHttp2Stream, head: http2.IncomingHttpHeaders): void {
    this.#streams.add(stream)
    stream.on('error', nothing).on('close', () => this.#streams.delete(stream))
    const random = this.#random
    if (!this.#isWell && random.oneIn(8)) return stream.close(NGHTTP2_REFUSED_STREAM)
    const messages = new Messages(String(head['x-id'] ?? ''), text =>
      this.faults.push(`to the app: ${String(head[':path'])}: ${text}`)
    )
    this.#calls.push({messages, stream})
    const answer = this.#answerer(stream, messages)
    stream
      .on('data', (bytes: Buffer) => {
        messages.take(bytes)
        if (this.#isWell || !random.oneIn(6)) return
        stream.pause()
        this.#later.push(() => stream.resume())
      })
      .on('end', () => answer(true))
    switch (this.#isWell ? 9 : random.below(8)) {
      case 0:
        return answer(false)
      case 1:
        return void setImmediate(() => answer(false))
      case 2:
        return void this.#later.push(() => answer(false))
    }
  }

  /** `isEnd`: the caller has sent all. */
  #answerer(stream: ServerHttp2Stream, messages: Messages): (isEnd: boolean) => void {
    const random = this.#random
    let isAnswered = false
    return isEnd => {
      if (isAnswered || stream.destroyed || stream.closed || messages.id === '') return
      isAnswered = true
      const how = this.#isWell ? 9 : random.below(12)
      const head = {':status': 200, 'content-type': 'application/grpc', 'x-id': messages.id}
      if (how === 0) return stream.close(random.pick(CODES))
      if (how === 1) return stream.respond({...head, 'grpc-status': random.pick([0, 5, 13, 14])}, {endStream: true})
      if (how === 2) return stream.respond({':status': 503, 'content-type': 'text/plain'}, {endStream: true})
      if (how === 3) stream.additionalHeaders({':status': 103})
      const count = random.below(4)
      const status = this.#isWell || random.oneIn(2) ? 0 : random.pick([5, 13, 14])
      const got = isEnd && messages.isWhole ? messages.count : -1
      // node aborts where a stream that waits to send trailers is closed
      const isBroken = how === 5 || how === 6
      stream.respond(head, {waitForTrailers: how !== 4 && !isBroken})
      stream.on('wantTrailers', () => {
        stream.sendTrailers({'grpc-status': status, 'x-count': count, 'x-got': got, 'x-id': messages.id})
      })
      this.#send(stream, messages.id, {number: 0, count, isBroken})
    }
  }

  #send(
    stream: ServerHttp2Stream,
    id: string,
    {number, count, isBroken}: {readonly number: number; readonly count: number; readonly isBroken: boolean}
  ): void {
    const random = this.#random
    if (stream.destroyed || stream.closed) return
    if (number === count) {
      if (isBroken) stream.close(random.pick(CODES))
      else stream.end()
      return
    }
    const message = messageOf(id, number, random.pick(SIZES))
    const next = (): void => this.#send(stream, id, {number: number + 1, count, isBroken})
    const at = random.oneIn(3) ? 1 + random.below(message.length) : message.length
    stream.write(message.slice(0, at), 'latin1')
    const rest = (): void => {
      if (at < message.length && !stream.destroyed) stream.write(message.slice(at), 'latin1')
      next()
    }
    if (this.#isWell || random.oneIn(2)) rest()
    else this.#later.push(rest)
  }
}
