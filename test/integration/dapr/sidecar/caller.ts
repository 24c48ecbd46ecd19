import {once} from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import type {Test} from 'tap'

/** An answer, read by a reader that shares no code with ours. Texts are latin1. */
export interface Answer {
  readonly status: number
  readonly head: string
  /** Field names in small letters; the values of repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** `length`, `chunks`, `close` or `none`. */
  readonly framing: string
}

type Parsed = {readonly answer: Answer; readonly size: number} | undefined

const headersOf = (head: string): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name] ?? ''}, ${value}` : value
  }
  return headers
}

const EMPTY_LINE = '\r\n\r\n'

/** The body in the chunks at the start of these bytes. */
const unchunk = (bytes: Buffer): {readonly body: string; readonly size: number} | undefined => {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16)
    if (size === 0) {
      const close = bytes.indexOf(EMPTY_LINE, end)
      return close < 0 ? undefined : {body: Buffer.concat(chunks).toString('latin1'), size: close + 4}
    }
    if (bytes.length < end + 2 + size + 2) return undefined
    chunks.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

const parse = (bytes: Buffer, toHead: boolean, isClosed: boolean): Parsed => {
  const end = bytes.indexOf(EMPTY_LINE)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end + 2)
  const headers = headersOf(head)
  const status = Number(head.slice(9, 12))
  const rest = bytes.subarray(end + 4)
  const make = (framing: string, body: string, size: number): Parsed => ({
    answer: {status, head, headers, body, framing},
    size: end + 4 + size
  })
  if (toHead || status === 204 || status === 304 || status < 200) return make('none', '', 0)
  if (headers['transfer-encoding'] !== undefined) {
    const found = unchunk(rest)
    return found && make('chunks', found.body, found.size)
  }
  if (headers['content-length'] !== undefined) {
    const length = Number(headers['content-length'])
    return rest.length < length ? undefined : make('length', rest.toString('latin1', 0, length), length)
  }
  return isClosed ? make('close', rest.toString('latin1'), rest.length) : undefined
}

/** Bytes in the order in which they came, in one buffer that grows by doubling: large answers come in hundreds of pieces. */
class Received {
  #buffer = Buffer.alloc(64 * 1024)
  #from = 0
  #to = 0

  add(piece: Buffer): void {
    if (this.#to + piece.length > this.#buffer.length) {
      const larger = Buffer.alloc(2 * (this.bytes.length + piece.length))
      this.#to = this.bytes.copy(larger)
      this.#from = 0
      this.#buffer = larger
    }
    this.#to += piece.copy(this.#buffer, this.#to)
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(this.#from, this.#to)
  }

  /** They have been read. */
  drop(size = this.#to - this.#from): void {
    this.#from += size
  }
}

/** A caller of raw bytes. */
export class Caller {
  readonly socket: net.Socket
  isClosed = false
  /** The line broke: what ends with it is not whole. */
  isBroken = false
  readonly #received = new Received()
  #wake: (() => void) | undefined

  constructor(t: Test, port: number) {
    this.socket = net.connect({port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true})
    this.socket
      .on('data', (bytes: Buffer) => {
        this.#received.add(bytes)
        this.#wake?.()
      })
      .on('end', () => this.#close())
      .on('close', () => this.#close())
      .on('error', () => {
        this.isBroken = true
        this.#close()
      })
    t.teardown(() => {
      this.socket.destroy()
    })
  }

  /** What was received and not yet read as an answer, latin1. */
  get text(): string {
    return this.#received.bytes.toString('latin1')
  }

  /** Drops that. */
  forget(): void {
    this.#received.drop()
  }

  send(data: string | Buffer): void {
    if (typeof data === 'string') this.socket.write(data, 'latin1')
    else this.socket.write(data)
  }

  /** Waits until the received text holds this. */
  async until(isThere: (text: string) => boolean): Promise<void> {
    while (!isThere(this.text) && !this.isClosed) await this.#news()
  }

  /** The next answer; undefined: the line was closed before it was whole. Interim answers count. */
  async answer({toHead = false} = {}): Promise<Answer | undefined> {
    for (;;) {
      const found = parse(this.#received.bytes, toHead, this.isClosed && !this.isBroken)
      if (found !== undefined) {
        this.#received.drop(found.size)
        return found.answer
      }
      if (this.isClosed) return undefined
      await this.#news()
    }
  }

  /** Waits until the sidecar has closed the line; what came till then. */
  async closed(): Promise<string> {
    while (!this.isClosed) await this.#news()
    return this.text
  }

  async #news(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
  }

  #close(): void {
    this.isClosed = true
    this.#wake?.()
  }
}

export const connect = async (t: Test, port: number): Promise<Caller> => {
  const caller = new Caller(t, port)
  await once(caller.socket, 'connect')
  return caller
}

export interface RequestText {
  readonly method?: string
  readonly path?: string
  /** More lines, each with its end. */
  readonly lines?: string
  readonly body?: string
}

/** A request for `b`, counted when it has a body. */
export const request = ({method = 'POST', path = '/echo', lines = '', body = ''}: RequestText = {}): string => {
  const length = body === '' && method !== 'POST' ? '' : `Content-Length: ${body.length}\r\n`
  return `${method} /v1.0/invoke/b/method${path} HTTP/1.1\r\nHost: localhost\r\n${lines}${length}\r\n${body}`
}

/** A request for `b` whose body comes in these chunks. */
export const chunked = (chunks: readonly string[], lines = ''): string =>
  `POST /v1.0/invoke/b/method/echo HTTP/1.1\r\nHost: localhost\r\n${lines}Transfer-Encoding: chunked\r\n\r\n` +
  `${chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`

/** Sends bytes on a line of their own; the answer to the first request in them. */
export const ask = async (t: Test, port: number, text: string, toHead = false): Promise<Answer | undefined> => {
  const caller = await connect(t, port)
  caller.send(text)
  const answer = await caller.answer({toHead})
  caller.socket.destroy()
  return answer
}

/** The end of a stream; `rst`: the error code of a reset, 0 if it was not reset. */
export interface StreamEnd {
  readonly status: unknown
  readonly body: string
  readonly rst: number
}

/** Calls `echo` of `b` over HTTP/2. */
export const overHttp2 = async (t: Test, port: number): Promise<StreamEnd> => {
  const session = http2.connect(`http://localhost:${port}`, {family: 4} as object)
  t.teardown(() => session.destroy())
  const stream = session.request({':path': '/v1.0/invoke/b/method/echo'})
  let status: unknown
  let body = ''
  stream
    .setEncoding('latin1')
    .on('response', fields => (status = fields[':status']))
    .on('data', piece => (body += piece))
    .on('error', () => undefined)
  await new Promise(resolve => stream.on('close', resolve))
  return {status, body, rst: stream.rstCode}
}
