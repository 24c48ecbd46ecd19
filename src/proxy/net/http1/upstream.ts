import {authorityOf} from '../../../model/address.ts'
import net from 'node:net'
import type {Duplex} from 'node:stream'
import {codeOf, bugText} from '../../../model/errors.ts'
import {CHUNKED, HEAD_LIMIT, MAX_INTERIM, TOO_MANY_INTERIM, UNTIL_CLOSE} from './response-head.ts'
import type {ResponseHead} from './response-head.ts'
import {Chunks, type TakeChunk} from './chunked.ts'
import {UpstreamError} from '../dialer.ts'
import {CaughtBug, contain} from '../error-boundary.ts'
import {readBeforeFailure} from '../../../platform/intercept-connections.ts'
import {corkTurn, LateText, SMALL} from './late-text.ts'
import {isMuchWork, isShared, letOthersRead} from '../../../platform/shared-reads.ts'
import {writeCopy} from '../write-copy.ts'
import {alertText, handshakeText} from '../../../model/tls-alert.ts'
import {isValidStatus, statusFault} from '../status.ts'
import type {Failure, ResponseHandler, Upstream, UpstreamOwner} from '../upstream.ts'

// buffer into which all upstreams read; parts that outlive a read are copied
const scratch = Buffer.allocUnsafeSlow(HEAD_LIMIT)

/** Returns the error of a failed connection in Go's words, which users of Dapr know. */
const dialText = (host: string, port: number, code: string): string => {
  const why = code === 'ECONNREFUSED' ? 'connection refused' : code
  return `dial tcp ${authorityOf(host, port)}: connect: ${why}`
}

/** An HTTP/1.1 connection to a callee, which carries one call at a time and waits in its pool between calls. */
export class Http1Upstream implements Upstream {
  served = 0
  idleMs = 0
  isOpen = false
  readonly #owner: UpstreamOwner
  readonly #onread = {buffer: scratch, callback: (count: number) => this.#readShared(count)}
  #socket: Duplex
  #late: LateText
  /** Value of `#late.writes` when the call began: no change shows that none of its bytes were written. */
  #writesBefore = 0
  /** Handler of the current call; undefined: the connection is idle. */
  #handler: ResponseHandler | undefined
  /** Index of the address that is tried. */
  #addressIndex = 0
  /** Error text of the first address that has refused the connection; '': none has. */
  #refusal = ''
  /** Start of a response head; undefined: none has arrived. */
  #partialHead: Buffer | undefined
  /** Parser of a chunked body; undefined: the body is not chunked. */
  #chunks: Chunks | undefined
  /** Bytes of content in the latest read of a chunked body; Infinity: the body is not chunked. */
  #chunkContent = Infinity
  /** Whether the head of the response was read. */
  #isInBody = false
  /** Remaining length of the body, or `UNTIL_CLOSE`. */
  #bodyLeft = 0
  /** Number of interim responses (1xx) to this call. */
  #interimCount = 0
  /** Whether the connection can carry another call after the current response. */
  #mayReuse = false
  /** Error of the connection, for the failure of the call; '': none. */
  #closeReason = ''

  constructor(owner: UpstreamOwner) {
    this.#owner = owner
    this.#socket = this.#connect()
    this.#late = new LateText(this.#socket)
  }

  serve(handler: ResponseHandler): void {
    this.#handler = handler
    this.#writesBefore = this.#late.writes
    this.#interimCount = 0
    if (this.isOpen) handler.open(true)
  }

  get unsent(): string {
    return this.served > 0 && this.#late.writes === this.#writesBefore ? this.#late.text : ''
  }

  /** Sends latin1 text or bytes to the callee. Returns false to wait for `drain()`. */
  write(data: string | Buffer): boolean {
    this.#late.write()
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data)
  }

  /** Writes all in one packet if it is small: text avoids an allocation. */
  writeAll(before: string, bytes: Buffer | undefined, after = ''): boolean {
    if (bytes === undefined) return this.#late.add(before + after)
    if (bytes.length <= SMALL) return this.#late.add(before + bytes.toString('latin1') + after)
    corkTurn(this.#socket)
    this.#late.write()
    if (before !== '') this.write(before)
    const isTaken = isShared(bytes) ? writeCopy(this.#socket, bytes) : this.write(bytes)
    return after === '' ? isTaken : this.write(after)
  }

  writeLate(before: string, bytes?: Buffer, after = ''): boolean {
    return this.#late.addLater(before + (bytes?.toString('latin1') ?? '') + after)
  }

  resume(): void {
    this.#socket.resume()
  }

  finishSending(): void {
    this.#late.write()
    this.#socket.end()
  }

  drop(): void {
    this.#handler = undefined
    this.#owner.forget(this)
    this.#socket.destroy()
  }

  cut(): void {
    if (this.#handler === undefined) return this.drop()
    this.#socket.destroy()
  }

  #connect(): Duplex {
    const {dial, port} = this.#owner
    const host = this.#owner.hosts[this.#addressIndex] ?? '127.0.0.1'
    const socket =
      dial?.open === undefined
        ? this.#connectPlain(host)
        : dial.open(host, port, this.#onread).on('data', (bytes: Buffer) => this.#read(bytes, bytes.length))
    contain(socket, error => this.#failByBug(error))
    let isAccepted = false
    if (dial?.open !== undefined) socket.once('connect', () => (isAccepted = true))
    socket
      .on(dial?.open === undefined ? 'connect' : 'secureConnect', () => {
        this.isOpen = true
        this.#closeReason = '' // forgets the error of an address that was tried before
        this.#handler?.open(false)
      })
      .on('error', (error: Error) => {
        if (error instanceof CaughtBug) return this.#failByBug(error.cause)
        const words = error instanceof UpstreamError ? error.message : alertText(error)
        if (this.isOpen) this.#closeReason = words || this.#readErrorText(codeOf(error))
        else this.#notConnected(codeOf(error), isAccepted ? handshakeText(error) : words)
      })
      .on('end', () => this.#closedByCallee(true))
      .on('close', () => {
        if (this.#socket === socket) this.#closedByCallee(false)
      })
      .on('drain', () => this.#handler?.drain?.())
    return socket
  }

  #connectPlain(host: string): net.Socket {
    const socket = net.connect({host, port: this.#owner.port, noDelay: true, onread: this.#onread})
    readBeforeFailure(socket, scratch, this.#onread.callback)
    return socket
  }

  /** Tries the next address, since a Node server on `localhost` may listen only on ::1. If any address refuses, the call fails as `refused`. */
  #notConnected(code: string, words: string): void {
    const host = this.#owner.hosts[this.#addressIndex] ?? ''
    const text = words || dialText(host, this.#owner.port, code)
    if (this.#refusal === '' && code === 'ECONNREFUSED') this.#refusal = text
    this.#closeReason ||= text
    // a process listens at this address, but does not speak the configured protocol
    if (!text.startsWith('dial ')) return
    if (this.#handler === undefined || ++this.#addressIndex >= this.#owner.hosts.length) return
    this.#socket = this.#connect()
    this.#late = new LateText(this.#socket)
  }

  /** Returns the error of an open connection in Go's words. */
  #readErrorText(code: string): string {
    const {hosts, port} = this.#owner
    const why = code === 'ECONNRESET' ? 'connection reset by peer' : code
    return `read tcp ${authorityOf(hosts[this.#addressIndex] ?? '', port)}: read: ${why}`
  }

  /** Reads bytes of the shared buffer. Catches exceptions, since Node calls this directly and no error boundary does. */
  #readShared(count: number): true {
    try {
      this.#read(scratch, count)
    } catch (error) {
      this.#failByBug(error)
    }
    if (isMuchWork(count, this.#chunkContent)) letOthersRead(this.#socket)
    return true
  }

  #read(bytes: Buffer, count: number): void {
    const handler = this.#handler
    // closes the connection: bytes without a call, or before its request was written, cannot be its response
    if (handler === undefined || this.unsent !== '') return this.#closedByCallee(false)
    if (this.#isInBody) return this.#readBody(handler, bytes, 0, count)
    let data = bytes
    let end = count
    if (this.#partialHead !== undefined) {
      data = Buffer.concat([this.#partialHead, bytes.subarray(0, count)])
      end = data.length
      this.#partialHead = undefined
    }
    this.#parseHead(handler, data, end)
  }

  #parseHead(handler: ResponseHandler, bytes: Buffer, end: number): void {
    for (let at = 0; at < end;) {
      const text = bytes.toString('latin1', at, Math.min(end, at + HEAD_LIMIT))
      const head = this.#owner.responseHeads.read(text, handler.toHead, handler.rules)
      if (head === undefined) {
        this.#partialHead = Buffer.from(bytes.subarray(at, end))
        return
      }
      if (typeof head === 'string') return this.#failHead(text, head)
      const {status} = head
      if (!isValidStatus(status)) return this.#failHead(text, '')
      at += head.size
      if (status < 200 && status !== 101) {
        this.#interimCount++
        if (handler.isVerbatim === true) handler.interim?.(text.slice(0, head.size))
        else if (this.#interimCount > MAX_INTERIM) return this.#fail('malformed', TOO_MANY_INTERIM)
        continue
      }
      return this.#startResponse(handler, head, text, bytes, at, end)
    }
  }

  #failHead(text: string, why: string): void {
    const fault = statusFault(text)
    this.#fail(fault === '' ? 'malformed' : 'bad-status', fault || why)
  }

  #startResponse(
    handler: ResponseHandler,
    head: ResponseHead,
    text: string,
    bytes: Buffer,
    at: number,
    end: number
  ): void {
    // does not reuse the connection after a 500: uvicorn, for example, then closes it without announcing that
    this.#mayReuse = head.keep && head.status !== 500
    this.#bodyLeft = head.status === 101 && handler.isTunnel === true ? UNTIL_CLOSE : head.left
    if (this.#bodyLeft >= 0 && end - at === head.left && text.length === head.size + head.left) {
      this.#detachCall()
      return this.#reportEnd(handler, head, text.slice(head.size))
    }
    this.#isInBody = true
    this.#chunks = head.left === CHUNKED ? new Chunks(handler.isVerbatim !== true) : undefined
    this.#chunkContent = Infinity
    handler.head(head)
    if (this.#handler === handler) this.#readBody(handler, bytes, at, end)
  }

  #readBody(handler: ResponseHandler, bytes: Buffer, start: number, end: number): void {
    let isTaken = true
    const take = (_: Buffer, from: number, to: number): void => {
      if (this.#handler === handler && to > from) isTaken = handler.body(bytes.subarray(from, to)) && isTaken
    }
    let stop = end
    if (this.#chunks !== undefined && handler.isVerbatim === true) {
      stop = this.#parseChunks(this.#chunks, bytes, start, end, (_, from, to) =>
        handler.content?.(bytes.subarray(from, to))
      )
      take(bytes, start, stop < 0 ? end : stop)
    } else if (this.#chunks !== undefined) stop = this.#parseChunks(this.#chunks, bytes, start, end, take)
    else {
      if (this.#bodyLeft >= 0) stop = Math.min(end, start + this.#bodyLeft)
      if (this.#bodyLeft >= 0) this.#bodyLeft -= stop - start
      take(bytes, start, stop)
    }
    if (this.#handler !== handler) return
    if (stop < 0) return this.#fail('cut', 'malformed chunked encoding')
    if (this.#chunks === undefined ? this.#bodyLeft === 0 : this.#chunks.done) {
      // does not reuse the connection: the bytes behind the response belong to no request
      if (stop < end) this.#mayReuse = false
      this.#detachCall()
      this.#reportEnd(handler)
    } else if (!isTaken) this.#socket.pause()
  }

  #parseChunks(chunks: Chunks, bytes: Buffer, start: number, end: number, take: TakeChunk): number {
    this.#chunkContent = 0
    return chunks.parse(bytes, start, end, (from, at, to) => {
      this.#chunkContent += to - at
      take(from, at, to)
    })
  }

  /** Detaches the call after a complete response. Returns the connection to the pool, or closes it. */
  #detachCall(): void {
    const isWritten = this.#late.text === '' && this.#socket.writable && this.#socket.writableLength === 0
    const wasSent = this.#handler?.isSent === true && isWritten
    this.#handler = undefined
    this.#isInBody = false
    this.#chunks = undefined
    this.served++
    this.idleMs = 0
    if (!(this.#mayReuse && wasSent && this.#owner.keep(this))) this.drop()
  }

  /** Reports the end of a response, after `#free`. `head`, `body`: a response that arrived completely in one read. */
  #reportEnd(handler: ResponseHandler, head?: ResponseHead, body = ''): void {
    try {
      if (head === undefined) handler.end()
      else handler.whole(head, body)
    } catch (error) {
      handler.crash(error)
    }
  }

  /** Called when the callee has closed the connection, to end the call. `isClean`: by the end of its stream, without an error. */
  #closedByCallee(isClean: boolean): void {
    const handler = this.#handler
    if (handler === undefined) return this.drop()
    if (isClean && this.#isInBody && this.#bodyLeft === UNTIL_CLOSE) {
      this.#mayReuse = false
      this.#detachCall()
      return this.#reportEnd(handler)
    }
    if (this.#isInBody) return this.#fail('cut', this.#closeReason || 'unexpected EOF')
    if (!this.isOpen)
      return this.#fail(this.#refusal === '' ? 'unreachable' : 'refused', this.#refusal || this.#closeReason || 'EOF')
    if (this.#partialHead !== undefined || this.#interimCount > 0)
      return this.#fail('malformed', this.#closeReason || 'unexpected EOF')
    this.#fail('silent', this.#closeReason || 'EOF')
  }

  #fail(failure: Failure, why: string): void {
    const handler = this.#handler
    this.drop()
    try {
      handler?.fail(failure, why)
    } catch (error) {
      handler?.crash(error)
    }
  }

  #failByBug(error: unknown): void {
    const handler = this.#handler
    this.drop()
    if (handler === undefined) process.emitWarning(bugText(error))
    else handler.crash(error)
  }
}
