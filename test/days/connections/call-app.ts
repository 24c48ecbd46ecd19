import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import {bodyOf} from './body.ts'

/** How an app answers a request; its path says it. */
export const KINDS = {
  /** Whole, and the connection lasts. */
  well: ['ok', 'ok', 'chunks', 'hints', 'none', 'same', 'large', 'late', 'close', 'until-close', 'websocket'],
  /** Broken off, or before the request is whole. */
  ill: ['early', 'early', 'early', 'cut', 'mute']
} as const

export type Kind = (typeof KINDS)['well' | 'ill'][number]

const CHUNK = 700

/** The body of an answer to a request. */
export const answerTo = (id: string, kind: string): string => `${id} `.repeat(kind === 'large' ? 200_000 : 3)

const nothing = (): void => undefined

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await new Promise(setImmediate)
}

/** Splits a body in chunks into its content, and what follows it; undefined: it is not whole. */
export function readChunks(text: string): {readonly body: string; readonly rest: string} | undefined {
  let body = ''
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) return undefined
    const size = Number.parseInt(text.slice(at, end), 16)
    if (Number.isNaN(size)) throw new Error(`no chunk: ${text.slice(at, at + 20)}`)
    at = end + 2
    if (size === 0) {
      for (let line = text.indexOf('\r\n', at); line > at; line = text.indexOf('\r\n', at)) at = line + 2
      return text.startsWith('\r\n', at) ? {body, rest: text.slice(at + 2)} : undefined
    }
    if (text.length < at + size + 2) return undefined
    body += text.slice(at, at + size)
    at += size + 2
  }
}

/** An app, or an endpoint outside, that answers each request as its path says: `/ID/KIND/BYTES`. */
export class CallApp {
  /** How often each request has come whole, by id. */
  readonly received = new Map<string, number>()
  /** How often a part of it has. */
  readonly begun = new Map<string, number>()
  readonly faults: string[] = []
  readonly sockets = new Set<net.Socket>()
  readonly #random: Random
  #server = net.createServer()

  constructor(random: Random) {
    this.#random = random
  }

  port = 0

  async open(port = this.port): Promise<void> {
    this.#server = net.createServer({noDelay: true, allowHalfOpen: true}, socket => void this.#serve(socket))
    await once(this.#server.listen(port, '127.0.0.1'), 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** Its process ends. */
  end(): void {
    this.#server.close()
    for (const socket of this.sockets) socket.destroy()
  }

  async #serve(socket: net.Socket): Promise<void> {
    this.sockets.add(socket)
    let text = ''
    let isOver = false
    let came = nothing
    socket
      .on('error', () => undefined)
      .on('close', () => {
        this.sockets.delete(socket)
        isOver = true
        came()
      })
      .on('end', () => {
        socket.end()
        isOver = true
        came()
      })
      .on('data', bytes => {
        text += bytes.toString('latin1')
        came()
      })
    const more = async (): Promise<boolean> => {
      if (isOver) return false
      await new Promise<void>(resolve => (came = resolve))
      return true
    }
    for (;;) {
      while (!text.includes('\r\n\r\n')) if (!(await more())) return
      const size = text.indexOf('\r\n\r\n') + 4
      const head = text.slice(0, size)
      text = text.slice(size)
      const [method = '', path = ''] = head.split(' ')
      const [, id = '', kind = '', bytes = ''] = path.split('?')[0]?.split('/') ?? []
      this.begun.set(id, (this.begun.get(id) ?? 0) + 1)
      if (/\r\nexpect: 100-continue/i.test(head) && (kind !== 'early' || this.#random.oneIn(2)))
        socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      if (kind === 'early') {
        if (this.#random.oneIn(2)) socket.pause()
        const body = answerTo(id, kind)
        await turns(this.#random.below(4))
        socket.write(
          `HTTP/1.1 413 Too Large\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
          () => socket.destroy()
        )
        return
      }
      let body = ''
      if (/\r\ntransfer-encoding: chunked/i.test(head)) {
        let read = readChunks(text)
        for (; read === undefined; read = readChunks(text)) if (!(await more())) return
        ;({body, rest: text} = read)
      } else {
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
        while (text.length < length) if (!(await more())) return
        body = text.slice(0, length)
        text = text.slice(length)
      }
      if (body !== bodyOf(id, Number(bytes))) this.faults.push(`${id} has another body at its app`)
      this.received.set(id, (this.received.get(id) ?? 0) + 1)
      if (kind === 'websocket') return this.#echo(socket, text)
      if (!(await this.#answer(socket, {id, kind, toHead: method === 'HEAD'}))) return
    }
  }

  #echo(socket: net.Socket, early: string): void {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    if (early !== '') socket.write(early, 'latin1')
    socket.on('data', bytes => socket.write(bytes))
  }

  /** False: nothing more is read on this connection. */
  async #answer(
    socket: net.Socket,
    {id, kind, toHead}: {readonly id: string; readonly kind: string; readonly toHead: boolean}
  ): Promise<boolean> {
    const body = answerTo(id, kind)
    const content = toHead ? '' : body
    const length = `Content-Length: ${body.length}\r\n`
    switch (kind) {
      case 'chunks': {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n')
        if (toHead) return true
        for (let at = 0; at < body.length; at += CHUNK) {
          const piece = body.slice(at, at + CHUNK)
          socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)
          await turns(this.#random.below(3))
        }
        socket.write('0\r\nx-sum: 1\r\n\r\n')
        return true
      }
      case 'hints':
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')
        await turns(this.#random.below(3))
        socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n${content}`)
        return true
      case 'none':
        socket.write('HTTP/1.1 204 No Content\r\n\r\n')
        return true
      case 'same':
        socket.write('HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n')
        return true
      case 'close':
        socket.end(`HTTP/1.1 200 OK\r\n${length}Connection: close\r\n\r\n${content}`)
        return false
      case 'until-close':
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        await turns(this.#random.below(3))
        socket.end(content)
        return false
      case 'cut':
        socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n${body.slice(0, 3)}`, () => socket.destroy())
        return false
      case 'mute':
        socket.destroy()
        return false
      default:
        if (kind === 'late') await turns(20 + this.#random.below(40))
        socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n${content}`)
        return true
    }
  }
}
