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
  readonly #onread = {buffer: scratch, callback: (count: number) => this.#take(count)}
  #socket: Duplex
  #late: LateText
  /** Value of `#late.writes` when the call began: no change shows that none of its bytes were written. */
  #writes = 0
  #responseHandler: ResponseHandler | undefined
  #host = 0
  #refusal = ''
  #held: Buffer | undefined
  #chunks: Chunks | undefined
  /** Bytes of content in the latest read of a chunked body; Infinity: the body is not chunked. */
  #taken = Infinity
  #inBody = false
  #left = 0
  /** Number of interim responses (1xx) to this call. */
  #interim = 0
  #keep = false
  #why = ''

  constructor(owner: UpstreamOwner) {
    this.#owner = owner
    this.#socket = this.#connect()
    this.#late = new LateText(this.#socket)
  }

  get unsent(): string {
    return this.served > 0 && this.#late.writes === this.#writes ? this.#late.text : ''
  }

  serve(responseHandler: ResponseHandler): void {
    this.#responseHandler = responseHandler
    this.#writes = this.#late.writes
    this.#interim = 0
    if (this.isOpen) responseHandler.open(true)
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
    this.#responseHandler = undefined
    this.#owner.forget(this)
    this.#socket.destroy()
  }

  cut(): void {
    if (this.#responseHandler === undefined) return this.drop()
    this.#socket.destroy()
  }

  #connect(): Duplex {
    const {dial, port} = this.#owner
    const host = this.#owner.hosts[this.#host] ?? '127.0.0.1'
    const socket =
      dial?.open === undefined
        ? this.#connectPlain(host)
        : dial.open(host, port, this.#onread).on('data', (bytes: Buffer) => this.#read(bytes, bytes.length))
    contain(socket, error => this.#crash(error))
    let isAccepted = false
    if (dial?.open !== undefined) socket.once('connect', () => (isAccepted = true))
    socket
      .on(dial?.open === undefined ? 'connect' : 'secureConnect', () => {
        this.isOpen = true
        this.#why = '' // forgets the error of an address that was tried before
        this.#responseHandler?.open(false)
      })
      .on('error', (error: Error) => {
        if (error instanceof CaughtBug) return this.#crash(error.cause)
        const words = error instanceof UpstreamError ? error.message : alertText(error)
        if (this.isOpen) this.#why = words || this.#readText(codeOf(error))
        else this.#notConnected(codeOf(error), isAccepted ? handshakeText(error) : words)
      })
      .on('end', () => this.#over(true))
      .on('close', () => {
        if (this.#socket === socket) this.#over(false)
      })
      .on('drain', () => this.#responseHandler?.drain?.())
    return socket
  }

  #connectPlain(host: string): net.Socket {
    const socket = net.connect({host, port: this.#owner.port, noDelay: true, onread: this.#onread})
    readBeforeFailure(socket, scratch, this.#onread.callback)
    return socket
  }

  /** Reads bytes of the shared buffer. Catches exceptions, since Node calls this directly and no error boundary does. */
  #take(count: number): true {
    try {
      this.#read(scratch, count)
    } catch (error) {
      this.#crash(error)
    }
    if (isMuchWork(count, this.#taken)) letOthersRead(this.#socket)
    return true
  }

  /** Returns the error of an open connection in Go's words. */
  #readText(code: string): string {
    const {hosts, port} = this.#owner
    const why = code === 'ECONNRESET' ? 'connection reset by peer' : code
    return `read tcp ${authorityOf(hosts[this.#host] ?? '', port)}: read: ${why}`
  }

  /** Tries the next address, since a Node server on `localhost` may listen only on ::1. If any address refuses, the call fails as `refused`. */
  #notConnected(code: string, words: string): void {
    const host = this.#owner.hosts[this.#host] ?? ''
    const text = words || dialText(host, this.#owner.port, code)
    if (this.#refusal === '' && code === 'ECONNREFUSED') this.#refusal = text
    this.#why ||= text
    // a process listens at this address, but does not speak the configured protocol
    if (!text.startsWith('dial ')) return
    if (this.#responseHandler === undefined || ++this.#host >= this.#owner.hosts.length) return
    this.#socket = this.#connect()
    this.#late = new LateText(this.#socket)
  }

  #read(bytes: Buffer, count: number): void {
    const responseHandler = this.#responseHandler
    // closes the connection: bytes without a call, or before its request was written, cannot be its response
    if (responseHandler === undefined || this.unsent !== '') return this.#over(false)
    if (this.#inBody) return this.#readBody(responseHandler, bytes, 0, count)
    let data = bytes
    let end = count
    if (this.#held !== undefined) {
      data = Buffer.concat([this.#held, bytes.subarray(0, count)])
      end = data.length
      this.#held = undefined
    }
    this.#parseHead(responseHandler, data, end)
  }

  #parseHead(responseHandler: ResponseHandler, bytes: Buffer, end: number): void {
    for (let at = 0; at < end;) {
      const text = bytes.toString('latin1', at, Math.min(end, at + HEAD_LIMIT))
      const head = this.#owner.responseHeads.read(text, responseHandler.toHead, responseHandler.rules)
      if (head === undefined) {
        this.#held = Buffer.from(bytes.subarray(at, end))
        return
      }
      if (typeof head === 'string') return this.#failHead(text, head)
      const {status} = head
      if (!isValidStatus(status)) return this.#failHead(text, '')
      at += head.size
      if (status < 200 && status !== 101) {
        this.#interim++
        if (responseHandler.isVerbatim === true) responseHandler.interim?.(text.slice(0, head.size))
        else if (this.#interim > MAX_INTERIM) return this.#fail('malformed', TOO_MANY_INTERIM)
        continue
      }
      return this.#startResponse(responseHandler, head, text, bytes, at, end)
    }
  }

  #failHead(text: string, why: string): void {
    const fault = statusFault(text)
    this.#fail(fault === '' ? 'malformed' : 'bad-status', fault || why)
  }

  #startResponse(
    responseHandler: ResponseHandler,
    head: ResponseHead,
    text: string,
    bytes: Buffer,
    at: number,
    end: number
  ): void {
    // does not reuse the connection after a 500: uvicorn, for example, then closes it without announcing that
    this.#keep = head.keep && head.status !== 500
    this.#left = head.status === 101 && responseHandler.isTunnel === true ? UNTIL_CLOSE : head.left
    if (this.#left >= 0 && end - at === head.left && text.length === head.size + head.left) {
      this.#free()
      return this.#end(responseHandler, head, text.slice(head.size))
    }
    this.#inBody = true
    this.#chunks = head.left === CHUNKED ? new Chunks(responseHandler.isVerbatim !== true) : undefined
    this.#taken = Infinity
    responseHandler.head(head)
    if (this.#responseHandler === responseHandler) this.#readBody(responseHandler, bytes, at, end)
  }

  #readBody(responseHandler: ResponseHandler, bytes: Buffer, start: number, end: number): void {
    let isTaken = true
    const take = (_: Buffer, from: number, to: number): void => {
      if (this.#responseHandler === responseHandler && to > from)
        isTaken = responseHandler.body(bytes.subarray(from, to)) && isTaken
    }
    let stop = end
    if (this.#chunks !== undefined && responseHandler.isVerbatim === true) {
      stop = this.#parseChunks(this.#chunks, bytes, start, end, (_, from, to) =>
        responseHandler.content?.(bytes.subarray(from, to))
      )
      take(bytes, start, stop < 0 ? end : stop)
    } else if (this.#chunks !== undefined) stop = this.#parseChunks(this.#chunks, bytes, start, end, take)
    else {
      if (this.#left >= 0) stop = Math.min(end, start + this.#left)
      if (this.#left >= 0) this.#left -= stop - start
      take(bytes, start, stop)
    }
    if (this.#responseHandler !== responseHandler) return
    if (stop < 0) return this.#fail('cut', 'malformed chunked encoding')
    if (this.#chunks === undefined ? this.#left === 0 : this.#chunks.done) {
      // does not reuse the connection: the bytes behind the response belong to no request
      if (stop < end) this.#keep = false
      this.#free()
      this.#end(responseHandler)
    } else if (!isTaken) this.#socket.pause()
  }

  #parseChunks(chunks: Chunks, bytes: Buffer, start: number, end: number, take: TakeChunk): number {
    this.#taken = 0
    return chunks.parse(bytes, start, end, (from, at, to) => {
      this.#taken += to - at
      take(from, at, to)
    })
  }

  /** Detaches the call after a complete response. Returns the connection to the pool, or closes it. */
  #free(): void {
    const isWritten = this.#late.text === '' && this.#socket.writable && this.#socket.writableLength === 0
    const wasSent = this.#responseHandler?.isSent === true && isWritten
    this.#responseHandler = undefined
    this.#inBody = false
    this.#chunks = undefined
    this.served++
    this.idleMs = 0
    if (!(this.#keep && wasSent && this.#owner.keep(this))) this.drop()
  }

  /** Called when the callee has closed the connection, to end the call. `isClean`: by the end of its stream, without an error. */
  #over(isClean: boolean): void {
    const responseHandler = this.#responseHandler
    if (responseHandler === undefined) return this.drop()
    if (isClean && this.#inBody && this.#left === UNTIL_CLOSE) {
      this.#keep = false
      this.#free()
      return this.#end(responseHandler)
    }
    if (this.#inBody) return this.#fail('cut', this.#why || 'unexpected EOF')
    if (!this.isOpen)
      return this.#fail(this.#refusal === '' ? 'unreachable' : 'refused', this.#refusal || this.#why || 'EOF')
    if (this.#held !== undefined || this.#interim > 0) return this.#fail('malformed', this.#why || 'unexpected EOF')
    this.#fail('silent', this.#why || 'EOF')
  }

  /** Reports the end of a response, after `#free`. `head`, `body`: a response that arrived completely in one read. */
  #end(responseHandler: ResponseHandler, head?: ResponseHead, body = ''): void {
    try {
      if (head === undefined) responseHandler.end()
      else responseHandler.whole(head, body)
    } catch (error) {
      responseHandler.crash(error)
    }
  }

  #crash(error: unknown): void {
    const responseHandler = this.#responseHandler
    this.drop()
    if (responseHandler === undefined) process.emitWarning(bugText(error))
    else responseHandler.crash(error)
  }

  #fail(failure: Failure, why: string): void {
    const responseHandler = this.#responseHandler
    this.drop()
    try {
      responseHandler?.fail(failure, why)
    } catch (error) {
      responseHandler?.crash(error)
    }
  }
}
