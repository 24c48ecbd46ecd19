import net from 'node:net'
import type {Duplex} from 'node:stream'
import {codeOf} from '../../model/errors.ts'
import {CHUNKED, HEAD_LIMIT, MAX_INTERIM, TOO_MANY_INTERIM, UNTIL_CLOSE} from './response-head.ts'
import {readResponseHead, type ResponseHead, type FieldRules} from './response-head.ts'
import {Chunks} from './chunked.ts'
import {WordedError, type Dial} from '../dialer.ts'
import {bugText, CaughtBug, contain} from '../error-boundary.ts'
import {readLooseAnswer} from './loose-answer.ts'
import {alertText} from '../tls-alert.ts'
import {isValidStatus, statusFault} from '../status.ts'

/**
 * How a connection failed its call. `refused`: no connection came about, nothing was sent. `silent`: it ended before
 * the first byte of an answer. `malformed`: what came is no answer. `bad-status`: it is one with a status that cannot be
 * passed on. `cut`: it ended within the answer.
 */
export type Failure = 'refused' | 'unreachable' | 'silent' | 'malformed' | 'bad-status' | 'cut'

/** Who waits for an answer: one call, as its upstream sees it. */
export interface ResponseHandler {
  /** The request was a HEAD: its answer has no body. */
  readonly toHead: boolean
  /** The whole request has been handed over. */
  readonly isSent: boolean
  /** An answer 101 makes the connection a tunnel: bytes both ways until one side closes. */
  readonly isTunnel: boolean
  readonly rules: FieldRules
  /** The connection is open: send. */
  open(): void
  /** The whole answer, where one read brought it and its body has a length. */
  whole(answer: ResponseHead, body: string): void
  head(answer: ResponseHead): void
  /** A piece of the body, of bytes that are overwritten afterwards; false: no more until `resume()`. */
  body(bytes: Buffer): boolean
  /** The answer is complete. */
  end(): void
  fail(failure: Failure, why: string): void
  /** The callee takes more of the request. */
  drain(): void
  /** A bug of ours, met on the way of the answer; the connection to the callee is gone. */
  crash(error: unknown): void
}

/** Where a connection belongs. */
export interface Home {
  /** Tried in this order. */
  readonly hosts: readonly string[]
  readonly port: number
  /** Undefined: plain TCP. */
  readonly dial: Dial | undefined
  /** Takes a connection that is free again; false: it is not wanted any more. */
  keep(upstream: Upstream): boolean
  forget(upstream: Upstream): void
}

// All upstreams read into one memory: what is kept of it is copied.
const scratch = Buffer.allocUnsafeSlow(HEAD_LIMIT)

/** Bytes up to here travel as text. */
const SMALL = 16_000

const uncork = (socket: Duplex): void => socket.uncork()

/** What Go says of a failed connection; users know these words. */
const dialText = (host: string, port: number, code: string): string => {
  const address = host.includes(':') ? `[${host}]:${port.toString()}` : `${host}:${port.toString()}`
  // What is no TLS is told as Go tells it.
  if (code.startsWith('ERR_SSL')) return 'tls: first record does not look like a TLS handshake'
  const why = code === 'ECONNREFUSED' ? 'connection refused' : code
  return `dial tcp ${address}: connect: ${why}`
}

const readText = (address: string, code: string): string =>
  `read tcp ${address}: read: ${code === 'ECONNRESET' ? 'connection reset by peer' : code}`

/** One connection to a callee: it carries one call at a time, and goes home between two. */
export class Upstream {
  /** Calls it has carried to their end. */
  served = 0
  /** Seconds without a call, counted by its home. */
  idle = 0
  readonly #home: Home
  #socket: Duplex
  #responseHandler: ResponseHandler | undefined
  #isOpen = false
  #host = 0
  #refusal = ''
  #held: Buffer | undefined
  #chunks: Chunks | undefined
  #inBody = false
  #left = 0
  /** Interim answers of this call. */
  #interim = 0
  #keep = false
  #why = ''

  constructor(home: Home) {
    this.#home = home
    this.#socket = this.#connect()
  }

  /** Gives it a call. `open()` follows: at once on an open connection. */
  serve(responseHandler: ResponseHandler): void {
    this.#responseHandler = responseHandler
    this.#interim = 0
    if (this.#isOpen) responseHandler.open()
  }

  /** Latin1 text or bytes to the callee; false: wait for `drain()`. */
  write(data: string | Buffer): boolean {
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data)
  }

  /** Bytes with latin1 text around them, in one write: few bytes go as text, with nothing allocated for the write. */
  writeAll(before: string, bytes: Buffer | undefined, after = ''): boolean {
    if (bytes === undefined) return this.write(before + after)
    if (bytes.length <= SMALL) return this.write(before + bytes.toString('latin1') + after)
    this.#socket.cork()
    process.nextTick(uncork, this.#socket)
    if (before !== '') this.write(before)
    const isTaken = this.write(bytes)
    return after === '' ? isTaken : this.write(after)
  }

  /** The callee may go on answering. */
  resume(): void {
    this.#socket.resume()
  }

  /** Nothing more will be sent; the callee may still answer (tunnels). */
  finishSending(): void {
    this.#socket.end()
  }

  /** Ends the connection and whatever it carried; nobody is told. */
  drop(): void {
    this.#responseHandler = undefined
    this.#home.forget(this)
    this.#socket.destroy()
  }

  /** Ends the connection; who waits for an answer is told, as if the callee had hung up. */
  cut(): void {
    if (this.#responseHandler === undefined) return this.drop()
    this.#socket.destroy()
  }

  #connect(): Duplex {
    const {dial, port} = this.#home
    const host = this.#home.hosts[this.#host] ?? '127.0.0.1'
    const socket = dial === undefined ? this.#connectPlain(host) : this.#readAll(dial.open(host, port))
    contain(socket, error => this.#crash(error))
    socket
      .on(dial?.opens ?? 'connect', () => {
        this.#isOpen = true
        this.#responseHandler?.open()
      })
      .on('error', (error: Error) => {
        if (error instanceof CaughtBug) return this.#crash(error.cause)
        const words = error instanceof WordedError ? error.message : alertText(error)
        if (this.#isOpen) this.#why = words || readText(this.#address(), codeOf(error))
        else this.#notConnected(codeOf(error), words)
      })
      .on('end', () => this.#over(true))
      .on('close', () => {
        if (this.#socket === socket) this.#over(false)
      })
      .on('drain', () => this.#responseHandler?.drain())
    return socket
  }

  #connectPlain(host: string): net.Socket {
    return net.connect({
      host,
      port: this.#home.port,
      noDelay: true,
      onread: {
        buffer: scratch,
        callback: (count, bytes) => {
          try {
            this.#read(bytes as Buffer, count)
          } catch (error) {
            this.#crash(error)
          }
          return true
        }
      }
    })
  }

  #readAll(link: Duplex): Duplex {
    return link.on('data', (bytes: Buffer) => this.#read(bytes, bytes.length))
  }

  #address(): string {
    const {
      localAddress = '',
      localPort = 0,
      remoteAddress = ''
    } = this.#socket instanceof net.Socket ? this.#socket : {}
    return `${localAddress}:${localPort.toString()}->${remoteAddress}:${this.#home.port.toString()}`
  }

  /** A Node server on `localhost` may sit on ::1 alone: the next address is tried. Refused anywhere means refused. */
  #notConnected(code: string, words: string): void {
    const host = this.#home.hosts[this.#host] ?? ''
    const text = words || dialText(host, this.#home.port, code)
    if (this.#refusal === '' && code === 'ECONNREFUSED') this.#refusal = text
    this.#why ||= text
    // Somebody is there, and does not speak what the app is said to speak.
    if (!text.startsWith('dial ')) return
    if (this.#responseHandler === undefined || ++this.#host >= this.#home.hosts.length) return
    this.#socket = this.#connect()
  }

  #read(bytes: Buffer, count: number): void {
    const responseHandler = this.#responseHandler
    // It speaks unasked: an answer too many must reach nobody.
    if (responseHandler === undefined) return this.drop()
    if (this.#inBody) return this.#readBody(responseHandler, bytes, 0, count)
    let data = bytes
    let end = count
    if (this.#held !== undefined) {
      data = Buffer.concat([this.#held, bytes.subarray(0, count)])
      end = data.length
      this.#held = undefined
    }
    this.#readHead(responseHandler, data, end)
  }

  #readHead(responseHandler: ResponseHandler, bytes: Buffer, end: number): void {
    for (let at = 0; at < end;) {
      const text = bytes.toString('latin1', at, Math.min(end, at + HEAD_LIMIT))
      const {toHead, rules} = responseHandler
      const answer = readResponseHead(text, toHead, rules) ?? readLooseAnswer(text, toHead, rules)
      if (answer === undefined) {
        this.#held = Buffer.from(bytes.subarray(at, end))
        return
      }
      if (typeof answer === 'string') return this.#failHead(text, answer)
      const {status} = answer
      if (!isValidStatus(status)) return this.#failHead(text, '')
      at += answer.size
      if (status < 200 && status !== 101) {
        // Interim answers are swallowed.
        if (++this.#interim > MAX_INTERIM) return this.#fail('malformed', TOO_MANY_INTERIM)
        continue
      }
      return this.#answer(responseHandler, answer, text, bytes, at, end)
    }
  }

  #failHead(text: string, why: string): void {
    const fault = statusFault(text)
    if (fault === '') this.#fail('malformed', why)
    else this.#fail('bad-status', fault)
  }

  #answer(
    responseHandler: ResponseHandler,
    answer: ResponseHead,
    text: string,
    bytes: Buffer,
    at: number,
    end: number
  ): void {
    // uvicorn, for one, hangs up after an exception and does not say so: the next call would run into the closing line
    this.#keep = answer.keep && answer.status !== 500
    this.#left = answer.status === 101 && responseHandler.isTunnel ? UNTIL_CLOSE : answer.left
    if (this.#left >= 0 && end - at === answer.left && text.length === answer.size + answer.left) {
      this.#free()
      return this.#whole(responseHandler, answer, text.slice(answer.size))
    }
    this.#inBody = true
    this.#chunks = answer.left === CHUNKED ? new Chunks() : undefined
    responseHandler.head(answer)
    if (this.#responseHandler === responseHandler) this.#readBody(responseHandler, bytes, at, end)
  }

  #readBody(responseHandler: ResponseHandler, bytes: Buffer, start: number, end: number): void {
    let isTaken = true
    const take = (_: Buffer, from: number, to: number): void => {
      if (this.#responseHandler === responseHandler && to > from)
        isTaken = responseHandler.body(bytes.subarray(from, to)) && isTaken
    }
    let stop = end
    if (this.#chunks !== undefined) stop = this.#chunks.eat(bytes, start, end, take)
    else {
      if (this.#left >= 0) stop = Math.min(end, start + this.#left)
      if (this.#left >= 0) this.#left -= stop - start
      take(bytes, start, stop)
    }
    if (this.#responseHandler !== responseHandler) return
    if (stop < 0) return this.#fail('cut', 'malformed chunked encoding')
    if (this.#chunks === undefined ? this.#left === 0 : this.#chunks.done) {
      // Bytes behind the answer belong to nobody.
      if (stop < end) this.#keep = false
      this.#free()
      this.#end(responseHandler)
    } else if (!isTaken) this.#socket.pause()
  }

  /** The answer is complete: home, or away. */
  #free(): void {
    const wasSent = this.#responseHandler?.isSent === true && this.#socket.writableLength === 0
    this.#responseHandler = undefined
    this.#inBody = false
    this.#chunks = undefined
    this.served++
    this.idle = 0
    if (!(this.#keep && wasSent && this.#home.keep(this))) this.drop()
  }

  /** The callee hung up. */
  #over(isClean: boolean): void {
    const responseHandler = this.#responseHandler
    if (responseHandler === undefined) return this.drop()
    if (isClean && this.#inBody && this.#left === UNTIL_CLOSE) {
      this.#keep = false
      this.#free()
      return this.#end(responseHandler)
    }
    if (this.#inBody) return this.#fail('cut', this.#why || 'unexpected EOF')
    if (!this.#isOpen) return this.#fail(this.#refusal === '' ? 'unreachable' : 'refused', this.#refusal || this.#why)
    if (this.#held !== undefined || this.#interim > 0) return this.#fail('malformed', this.#why || 'unexpected EOF')
    this.#fail('silent', this.#why || 'EOF')
  }

  /** By now the connection has let go of the call. */
  #whole(responseHandler: ResponseHandler, answer: ResponseHead, body: string): void {
    try {
      responseHandler.whole(answer, body)
    } catch (error) {
      responseHandler.crash(error)
    }
  }

  #end(responseHandler: ResponseHandler): void {
    try {
      responseHandler.end()
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
