import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {soon, write} from './connection.ts'
import {bytesOf, HEADERS, PREFACE, SETTINGS} from './http2-frames.ts'
import type {Script} from './script.ts'

/** What it does with the next request: of HTTP/2 it is told the stream. */
export type Play = (stream: number) => Script

/** Finds the next request in what has come; how many bytes it took. */
type FindRequest = (bytes: Buffer, isFirst: boolean) => {readonly stream: number; readonly size: number} | undefined

const EMPTY_LINE = '\r\n\r\n'

const findHttp1: FindRequest = bytes => {
  const end = bytes.indexOf(EMPTY_LINE)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  const isChunked = /\r\ntransfer-encoding:/i.test(head)
  const size = isChunked ? bytes.indexOf(`0${EMPTY_LINE}`, end + 4) + 5 : end + 4 + length
  return size < end || size > bytes.length ? undefined : {stream: 0, size}
}

const findHttp2: FindRequest = (bytes, isFirst) => {
  for (let at = isFirst ? PREFACE.length : 0; at + 9 <= bytes.length;) {
    const size = 9 + bytes.readUIntBE(at, 3)
    if (bytes[at + 3] === HEADERS && at + size <= bytes.length)
      return {stream: bytes.readUInt32BE(at + 5), size: at + size}
    at += size
  }
  return undefined
}

/** An app of raw bytes that answers each request with a script. */
export class HostileApp {
  play: Play = () => ({pieces: [], end: 'fin'})
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  readonly #ending = new Set<net.Socket>()

  constructor(protocol: 'http' | 'h2c') {
    const find = protocol === 'http' ? findHttp1 : findHttp2
    this.#server = net.createServer({noDelay: true, allowHalfOpen: true}, socket => {
      this.#sockets.add(socket)
      if (protocol === 'h2c') socket.write(bytesOf({type: SETTINGS}))
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.#sockets.delete(socket)
          this.#ending.delete(socket)
        })
        .on('end', () => socket.end())
      this.#serve(socket, find)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async open(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  /** Settles when the other side has closed each connection that a script has ended: no call can meet it half closed. */
  async ended(): Promise<void> {
    const closed = [...this.#ending].map(async socket => new Promise(resolve => socket.once('close', resolve)))
    await soon(Promise.all(closed), () => 'a connection that the app has ended')
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: net.Socket, find: FindRequest): void {
    let held = Buffer.alloc(0)
    let isFirst = true
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes])
      const found = find(held, isFirst)
      if (found === undefined) return
      isFirst = false
      held = held.subarray(found.size)
      const script = this.play(found.stream)
      if (script.end !== 'stay' && !socket.destroyed) this.#ending.add(socket)
      void write(socket, script)
    })
  }
}
