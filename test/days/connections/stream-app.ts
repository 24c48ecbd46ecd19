import {once} from 'node:events'
import http2, {
  type Http2Server,
  type ClientHttp2Stream,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from 'node:http2'
import type {AddressInfo, Socket} from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import {bodyOf} from './body.ts'

/** The last bytes of a whole answer. */
export const END = '.'

const CODES = [2, 7, 8, 11]
const ANSWERS = [0, 1, 300, 20_000, 400_000]

const nothing = (): void => undefined

/** Says whether the peer has ended its side of a stream: one that is reset ends, too, but is closed before. */
export function watchEnd(stream: ClientHttp2Stream | ServerHttp2Stream): () => boolean {
  let isEnded = false
  const push = stream.push.bind(stream)
  stream.push = (piece, encoding) => {
    if (piece === null && !stream.closed) isEnded = true
    return push(piece, encoding)
  }
  return () => isEnded
}

/** An app of HTTP/2 that answers its streams with their ids, changes its settings and ends streams and connections whenever it likes. */
export class StreamApp {
  /** How often each request has come, by method and id. */
  readonly received = new Map<string, number>()
  readonly faults: string[] = []
  /** Those whose bodies may be a part: node:http2 ends what it resets. */
  readonly givenUp = new Set<string>()
  readonly sessions = new Set<ServerHttp2Session>()
  readonly streams = new Set<ServerHttp2Stream>()
  readonly #sockets = new Set<Socket>()
  /** From now on it answers whatever comes, and at once. */
  isWell = false
  readonly #random: Random
  readonly #later: (() => void)[] = []
  #server: Http2Server = http2.createServer()
  #port = 0

  constructor(random: Random) {
    this.#random = random
  }

  get port(): number {
    return this.#port
  }

  async open(): Promise<void> {
    const random = this.#random
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
      .on('sessionError', (error: Error) => this.#failed(error))
      .on('stream', (stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => this.#serve(stream, headers))
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Its process ends: nothing listens until it is opened again. */
  end(): void {
    this.#server.close()
    // a session that is destroyed would say first that its streams have ended
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Does one of the things that it does whenever it likes. */
  act(): string {
    const random = this.#random
    const session = random.pick([...this.sessions])
    switch (random.below(6)) {
      case 0:
        if (this.#sockets.size === 0 || !random.oneIn(4)) return 'the app: nothing'
        random.pick([...this.#sockets]).destroy()
        return 'the app: destroys a connection'
      case 1:
        if (session === undefined || session.destroyed || !random.oneIn(2)) return 'the app: nothing'
        session.close()
        return 'the app: leaves a connection'
      case 2: {
        if (session === undefined || session.destroyed) return 'the app: nothing'
        const initialWindowSize = random.pick([0, 1, 50, 65_535, 1 << 20])
        const settings = {
          initialWindowSize,
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
    this.isWell = true
    for (const session of this.sessions)
      if (!session.destroyed) session.settings({initialWindowSize: 1 << 20, maxConcurrentStreams: 100})
    for (const later of this.#later.splice(0)) later()
  }

  #take(session: ServerHttp2Session): void {
    this.sessions.add(session)
    session.on('error', nothing).on('close', () => this.sessions.delete(session))
    session.on('goaway', (code: number) => {
      if (code !== 0) this.faults.push(`the app was told of a fault of it: GOAWAY ${code}`)
    })
  }

  #failed(error: Error & {code?: string}): void {
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE')
      this.faults.push(`the app finds a fault: ${error.message}`)
  }

  #serve(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    this.streams.add(stream)
    stream.on('error', nothing).on('close', () => this.streams.delete(stream))
    const random = this.#random
    const [id = '', length = '0'] = String(headers[':path']).slice(1).split('/')
    const method = String(headers[':method'])
    const request = `${method} ${id}`
    this.received.set(request, (this.received.get(request) ?? 0) + 1)
    let text = ''
    let hasTrailers = false
    const isWhole = watchEnd(stream)
    stream
      .on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1')
        if (!this.isWell && random.oneIn(6)) {
          stream.pause()
          this.#later.push(() => stream.resume())
        }
      })
      .on('trailers', () => (hasTrailers = true))
      .on('end', () => {
        if (!isWhole() || this.givenUp.has(id)) return
        if (text !== bodyOf(id, Number(length))) this.faults.push(`${id} has another body: ${text.length} of ${length}`)
        if (hasTrailers !== (headers['x-trailers'] === '1')) this.faults.push(`${id} has other trailers`)
      })
    const answer = (): void => this.#answer(stream, id, request)
    if (this.isWell) answer()
    else
      switch (random.below(5)) {
        case 0:
          return answer()
        case 1:
          return void setImmediate(answer)
        case 2:
          return void this.#later.push(answer)
        default:
          stream.on('end', answer)
      }
  }

  #answer(stream: ServerHttp2Stream, id: string, request: string): void {
    if (stream.destroyed || stream.closed) return
    const random = this.#random
    const size = random.pick(ANSWERS)
    const how = this.isWell ? 9 : random.below(10)
    if (how === 0) {
      const code = random.pick(CODES)
      // it may come once more
      if (code === http2.constants.NGHTTP2_REFUSED_STREAM) this.received.delete(request)
      return stream.close(code)
    }
    if (how === 1) stream.additionalHeaders({':status': 103})
    stream.respond({':status': 200, 'x-id': id}, {waitForTrailers: how === 2})
    stream.on('wantTrailers', () => stream.sendTrailers({'x-end': id}))
    const body = `${id} ${'z'.repeat(size)}${END}`
    if (how === 3) {
      stream.write(body.slice(0, -1))
      return void this.#later.push(() => {
        if (!stream.destroyed) stream.end(END)
      })
    }
    if (how === 4) {
      this.givenUp.add(id)
      stream.write(body.slice(0, -1))
      return void this.#later.push(() => stream.close(random.pick(CODES)))
    }
    stream.end(body)
  }
}
