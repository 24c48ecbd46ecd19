import {Duplex, type Readable, type Writable} from 'node:stream'
import {lengthOf, OF_CONNECTION, pairsOf, valueOf} from './http1/header-lines.ts'
import {Chunks} from './http1/chunked.ts'

/** A request that the adapter has parsed. */
export interface AdaptedRequest {
  readonly method: string
  /** The path with the query. */
  readonly path: string
  /** Alternating names and values, latin1; without hop-by-hop headers, and Content-Length as the only framing. */
  readonly pairs: readonly string[]
  readonly hasBody: boolean
}

/** Receives the result of a request: one response, or a failure. */
export interface ResponseSink {
  respond(status: number, pairs: readonly string[], body: Readable): void
  fail(error: Error): void
}

/** The client on the remote side of an adapter. */
export interface RemoteSide {
  /** Starts a request; its body is written to the returned stream, and ended. */
  request(adapted: AdaptedRequest, sink: ResponseSink): Writable
  /** The adapter is closed: ends requests in flight. */
  end(): void
}

/** Connects the remote side; `opened` is called when it is connected, `failed` when it fails or, without an error, takes no more requests. */
export type Connect = (on: {
  readonly opened: () => void
  readonly failed: (error: Error | undefined) => void
}) => RemoteSide

/** Loads the code of the remote side with the first connection. */
export const lazyConnect =
  (load: () => Promise<Connect>): Connect =>
  on => {
    let remote: RemoteSide | undefined
    let isEnded = false
    const connect = async (): Promise<void> => {
      try {
        const open = await load()
        if (!isEnded) remote = open(on)
      } catch (error) {
        on.failed(error instanceof Error ? error : new Error(String(error)))
      }
    }
    void connect()
    return {
      request: (adapted, sink) => {
        if (remote === undefined) throw new Error('the connection is not open')
        return remote.request(adapted, sink)
      },
      end: () => {
        isEnded = true
        remote?.end()
      }
    }
  }

/**
 * A connection that takes HTTP/1.1 on this side and passes each request to another client, for HTTP/2 or redirects. So the code that carries calls only knows HTTP/1.1. Takes a single request at a time.
 */
export class ProtocolAdapter extends Duplex {
  readonly #remote: RemoteSide
  #held = ''
  #body: Writable | undefined
  /** Bytes of the request's body still to come. */
  #left = 0
  #chunks: Chunks | undefined
  #response: Readable | undefined
  /** The request whose response is not complete. */
  #current: AdaptedRequest | undefined
  #isLast = false

  constructor(connect: Connect) {
    super({allowHalfOpen: true})
    this.#remote = connect({
      opened: () => this.emit('connect'),
      failed: error => {
        if (error !== undefined) return void this.destroy(error)
        this.#isLast = true
        if (this.#current === undefined) this.push(null)
      }
    })
  }

  /** The response is complete; behind the last one the connection ends. */
  #over(): void {
    this.#current = undefined
    if (this.#isLast) this.push(null)
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    if (this.#body === undefined) this.#readHead(bytes, done)
    else this.#readBody(bytes, done)
  }

  override _read(): void {
    this.#response?.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // their bytes are given back
    this.#body?.destroy()
    this.#response?.destroy()
    this.#remote.end()
    done(error)
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
    const requestPairs = pairsOf(head.slice(line + 2))
    const isChunked = valueOf(requestPairs, 'transfer-encoding') !== undefined
    this.#left = lengthOf(valueOf(requestPairs, 'content-length') ?? '0')
    this.#chunks = isChunked ? new Chunks() : undefined
    const kept = requestPairs.filter((_, at) => !OF_CONNECTION.has((requestPairs[at - (at % 2)] ?? '').toLowerCase()))
    const adapted = {method, path, pairs: kept, hasBody: isChunked || this.#left > 0}
    this.#current = adapted
    this.#body = this.#request(adapted, {
      respond: (status, pairs, body) => this.#begin(adapted, {status, pairs, body}),
      fail: error => {
        if (this.#current === adapted) this.destroy(error)
      }
    })
    if (!adapted.hasBody) this.#endBody()
  }

  /** A remote side that has just closed throws. */
  #request(adapted: AdaptedRequest, sink: ResponseSink): Writable | undefined {
    try {
      return this.#remote.request(adapted, sink)
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
      this.#chunks.parse(bytes, 0, bytes.length, (from, start, stop) => pieces.push(from.subarray(start, stop)))
      isOver = this.#chunks.done
    }
    // A remote side that responded early may be closed: the rest is discarded.
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
    {status, pairs, body}: {readonly status: number; readonly pairs: readonly string[]; readonly body: Readable}
  ): void {
    const isEmpty = adapted.method === 'HEAD' || status < 200 || status === 204 || status === 304
    // A length is ignored if there are chunks.
    const hasCoding = valueOf(pairs, 'transfer-encoding') !== undefined
    const length = hasCoding ? undefined : valueOf(pairs, 'content-length')
    const isChunked = !isEmpty && length === undefined
    let lines = isChunked ? 'Transfer-Encoding: chunked\r\n' : ''
    for (let at = 0; at < pairs.length; at += 2) {
      const name = pairs[at] ?? ''
      if (!OF_CONNECTION.has(name.toLowerCase()) && (length !== undefined || name.toLowerCase() !== 'content-length'))
        lines += `${name}: ${pairs[at + 1] ?? ''}\r\n`
    }
    this.push(`HTTP/1.1 ${status.toString().padStart(3, '0')}\r\n${lines}\r\n`, 'latin1')
    this.#response = body
    let left = isEmpty ? 0 : lengthOf(length ?? '')
    // whole by its length it ends later, when the next request may be under way already
    if (left === 0) this.#over()
    const isOver = (): boolean => this.destroyed || this.#current !== adapted
    body
      .on('data', (piece: Buffer) => {
        if (piece.length === 0 || isOver()) return
        const isTaken = isChunked
          ? this.push(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, CRLF]))
          : this.push(piece)
        if ((left -= piece.length) === 0) this.#over()
        else if (!isTaken) body.pause()
      })
      .on('end', () => {
        if (isOver()) return
        this.#response = undefined
        if (isChunked) this.push('0\r\n\r\n')
        this.#over()
      })
      .on('error', error => {
        if (!isOver()) this.destroy(error)
      })
      .on('close', () => {
        if (!isOver()) this.destroy()
      })
  }
}

const CRLF = Buffer.from('\r\n')
