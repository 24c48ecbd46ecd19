import {Duplex, type Readable, type Writable} from 'node:stream'
import {lengthOf, pairsOf} from './http1/header-lines.ts'
import {Chunks} from './http1/chunked.ts'

/** A request that came over a bridge. */
export interface AdaptedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Names and values in turn, latin1; nothing that concerns the connection or the framing but Content-Length. */
  readonly pairs: readonly string[]
  readonly hasBody: boolean
}

/** What comes back: once an answer, or a failure instead. */
export interface Return {
  answer(status: number, pairs: readonly string[], body: Readable): void
  fail(error: Error): void
}

/** What speaks to the callee on the far side. */
export interface RemoteSide {
  /** Begins a request; its body is written to what is returned, and ended. */
  request(adapted: AdaptedRequest, back: Return): Writable
  /** The bridge is gone, and what is under way with it. */
  end(): void
}

/** Connects the far side; `opened` when it stands, `lost` when it fails or ends by itself. */
export type Connect = (on: {
  readonly opened: () => void
  readonly lost: (error: Error | undefined) => void
}) => RemoteSide

const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings'
])

/**
 * A connection that takes HTTP/1.1 on this side and hands each request to something else on the other: to HTTP/2, or to a
 * client that follows redirects. So whoever carries calls knows one framing. One request at a time.
 */
export class ProtocolAdapter extends Duplex {
  readonly #remote: RemoteSide
  #held = ''
  #body: Writable | undefined
  /** Bytes of the request's body to come. */
  #left = 0
  #chunks: Chunks | undefined
  #answer: Readable | undefined
  /** The request of which the answer is not over. */
  #current: AdaptedRequest | undefined

  constructor(connect: Connect) {
    super({allowHalfOpen: true})
    this.#remote = connect({
      opened: () => this.emit('connect'),
      lost: error => (this.#current !== undefined || error === undefined ? this.#lost(error) : this.destroy(error))
    })
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    if (this.#body === undefined) this.#readHead(bytes, done)
    else this.#readBody(bytes, done)
  }

  override _read(): void {
    this.#answer?.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#remote.end()
    done(error)
  }

  #lost(error: Error | undefined): void {
    if (error !== undefined) this.destroy(error)
    else this.push(null)
  }

  #readHead(bytes: Buffer, done: () => void): void {
    this.#held += bytes.toString('latin1')
    const end = this.#held.indexOf('\r\n\r\n')
    if (end < 0) return done()
    const head = this.#held.slice(0, end + 2)
    const rest = this.#held.slice(end + 4)
    this.#held = ''
    this.#start(head)
    if (rest === '') done()
    else this.#readBody(Buffer.from(rest, 'latin1'), done)
  }

  #start(head: string): void {
    const line = head.indexOf('\r\n')
    const [method = '', path = ''] = head.slice(0, line).split(' ')
    const pairs = pairsOf(head.slice(line + 2))
    const valueOf = (name: string): string =>
      pairs[pairs.findIndex((each, at) => at % 2 === 0 && each.toLowerCase() === name) + 1] ?? ''
    const isChunked = pairs.some((each, at) => at % 2 === 0 && each.toLowerCase() === 'transfer-encoding')
    const hasLength = pairs.some((each, at) => at % 2 === 0 && each.toLowerCase() === 'content-length')
    this.#left = hasLength ? lengthOf(valueOf('content-length')) : 0
    this.#chunks = isChunked ? new Chunks() : undefined
    const kept = pairs.filter((_, at) => !OF_CONNECTION.has((pairs[at - (at % 2)] ?? '').toLowerCase()))
    const adapted = {method, path, pairs: kept, hasBody: isChunked || this.#left > 0}
    this.#current = adapted
    this.#body = this.#begun(adapted, {
      answer: (status, fields, body) => this.#begin(adapted, {status, fields, body}),
      fail: error => {
        if (this.#current === adapted) this.destroy(error)
      }
    })
    if (!adapted.hasBody) this.#endBody()
  }

  /** A far side that has just gone refuses. */
  #begun(adapted: AdaptedRequest, back: Return): Writable | undefined {
    try {
      return this.#remote.request(adapted, back)
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  #readBody(bytes: Buffer, done: (error?: Error | null) => void): void {
    const body = this.#body
    if (body === undefined) return done()
    const pieces: Buffer[] = []
    let isOver = false
    if (this.#chunks === undefined) {
      pieces.push(bytes)
      this.#left -= bytes.length
      isOver = this.#left <= 0
    } else {
      this.#chunks.eat(bytes, 0, bytes.length, (from, start, stop) => pieces.push(from.subarray(start, stop)))
      isOver = this.#chunks.done
    }
    // A far side that answered early may be gone: what it does not take is dropped.
    const written = (): void => {
      if (isOver) this.#endBody()
      done()
    }
    if (body.destroyed || body.writableEnded) return written()
    body.write(Buffer.concat(pieces), written)
  }

  #endBody(): void {
    this.#body?.end()
    this.#body = undefined
  }

  #begin(
    adapted: AdaptedRequest,
    {status, fields, body}: {readonly status: number; readonly fields: readonly string[]; readonly body: Readable}
  ): void {
    const names = fields.filter((_, at) => at % 2 === 0).map(each => each.toLowerCase())
    const isEmpty = adapted.method === 'HEAD' || status < 200 || status === 204 || status === 304
    // A length beside chunks counts for nothing.
    const hasLength = names.includes('content-length') && !names.includes('transfer-encoding')
    const isChunked = !isEmpty && !hasLength
    let lines = isChunked ? 'Transfer-Encoding: chunked\r\n' : ''
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at] ?? ''
      if (!OF_CONNECTION.has(name.toLowerCase()) && (hasLength || name.toLowerCase() !== 'content-length'))
        lines += `${name}: ${fields[at + 1] ?? ''}\r\n`
    }
    this.push(`HTTP/1.1 ${status.toString().padStart(3, '0')}\r\n${lines}\r\n`, 'latin1')
    this.#answer = body
    body
      .on('data', (piece: Buffer) => {
        if (isEmpty || piece.length === 0) return
        const isTaken = isChunked
          ? this.push(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, CRLF]))
          : this.push(piece)
        if (!isTaken) body.pause()
      })
      .on('end', () => {
        // broken off, or counted: then the next request may be under way
        if (this.destroyed || this.#current !== adapted) return
        this.#answer = undefined
        this.#current = undefined
        if (isChunked) this.push('0\r\n\r\n')
      })
      .on('error', error => {
        if (this.#current === adapted) this.destroy(error)
      })
      .on('close', () => {
        if (this.#answer === body) this.destroy()
      })
  }
}

const CRLF = Buffer.from('\r\n')
