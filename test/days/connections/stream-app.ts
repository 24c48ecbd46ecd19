import http2, {type ClientHttp2Stream, type ServerHttp2Stream} from 'node:http2'
import {bodyOf} from './body.ts'
import {Http2App} from './http2-app.ts'

/** The last bytes of a whole answer. */
export const END = '.'

const CODES = [2, 7, 8, 11]
const ANSWERS = [0, 1, 300, 20_000, 400_000]

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
export class StreamApp extends Http2App {
  /** How often each request has come, by method and id. */
  readonly received = new Map<string, number>()
  /** Those whose bodies may be a part: node:http2 ends what it resets. */
  readonly givenUp = new Set<string>()

  get streams(): readonly ServerHttp2Stream[] {
    return [...this.openStreams]
  }

  protected serve(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const {random} = this
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
          this.later.push(() => stream.resume())
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
          return void this.later.push(answer)
        default:
          stream.on('end', answer)
      }
  }

  #answer(stream: ServerHttp2Stream, id: string, request: string): void {
    if (stream.destroyed || stream.closed) return
    const {random} = this
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
      return void this.later.push(() => {
        if (!stream.destroyed) stream.end(END)
      })
    }
    if (how === 4) {
      this.givenUp.add(id)
      stream.write(body.slice(0, -1))
      return void this.later.push(() => stream.close(random.pick(CODES)))
    }
    stream.end(body)
  }
}
