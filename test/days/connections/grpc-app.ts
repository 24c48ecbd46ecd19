import http2, {type ServerHttp2Session, type ServerHttp2Stream} from 'node:http2'
import {messageOf, Messages} from './grpc-messages.ts'
import {Http2App} from './http2-app.ts'

const {NGHTTP2_REFUSED_STREAM} = http2.constants
const CODES = [0, 2, 7, 8, 11]
const SIZES = [0, 10, 300, 20_000, 200_000, 300_000]

/** An app of gRPC that answers in any way, changes its settings and ends streams and connections whenever it likes. */
export class GrpcApp extends Http2App {
  /** All that have come. */
  readonly #calls: {readonly messages: Messages; readonly stream: ServerHttp2Stream}[] = []

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
    return [...this.openStreams].filter(({closed, session}) => !closed && session?.closed === false)
  }

  protected override leave(session: ServerHttp2Session): void {
    if (this.random.oneIn(3)) session.goaway(0)
    else super.leave(session)
  }

  protected serve(stream: ServerHttp2Stream, head: http2.IncomingHttpHeaders): void {
    const {random} = this
    if (!this.isWell && random.oneIn(8)) return stream.close(NGHTTP2_REFUSED_STREAM)
    const messages = new Messages(String(head['x-id'] ?? ''), text =>
      this.faults.push(`to the app: ${String(head[':path'])}: ${text}`)
    )
    this.#calls.push({messages, stream})
    const answer = this.#answerer(stream, messages)
    stream
      .on('data', (bytes: Buffer) => {
        messages.take(bytes)
        if (this.isWell || !random.oneIn(6)) return
        stream.pause()
        this.later.push(() => stream.resume())
      })
      .on('end', () => answer(true))
    switch (this.isWell ? 9 : random.below(8)) {
      case 0:
        return answer(false)
      case 1:
        return void setImmediate(() => answer(false))
      case 2:
        return void this.later.push(() => answer(false))
    }
  }

  /** `isEnd`: the caller has sent all. */
  #answerer(stream: ServerHttp2Stream, messages: Messages): (isEnd: boolean) => void {
    const {random} = this
    let isAnswered = false
    return isEnd => {
      if (isAnswered || stream.destroyed || stream.closed || messages.id === '') return
      isAnswered = true
      const how = this.isWell ? 9 : random.below(12)
      const head = {':status': 200, 'content-type': 'application/grpc', 'x-id': messages.id}
      if (how === 0) return stream.close(random.pick(CODES))
      if (how === 1) return stream.respond({...head, 'grpc-status': random.pick([0, 5, 13, 14])}, {endStream: true})
      if (how === 2) return stream.respond({':status': 503, 'content-type': 'text/plain'}, {endStream: true})
      if (how === 3) stream.additionalHeaders({':status': 103})
      const count = random.below(4)
      const status = this.isWell || random.oneIn(2) ? 0 : random.pick([5, 13, 14])
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
    const {random} = this
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
    if (this.isWell || random.oneIn(2)) rest()
    else this.later.push(rest)
  }
}
