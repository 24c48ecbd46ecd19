import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import type {Random} from '../../fuzz/random.ts'

/** The body of a request: no two have the same. */
export const bodyOf = (id: string, bytes: number): string => `${id}-`.repeat(Math.ceil(bytes / 2)).slice(0, bytes)

/** An app that answers requests of HTTP/1 with their ids, and ends its connections whenever it likes; it may be replaced. */
export class HttpApp {
  /** How often each request has come, by method and id. */
  readonly received = new Map<string, number>()
  readonly faults: string[] = []
  readonly sockets = new Set<net.Socket>()
  /** From now on it answers whatever comes, and at once. */
  isWell = false
  readonly #random: Random
  #server = net.createServer()
  #port = 0

  constructor(random: Random) {
    this.#random = random
  }

  get port(): number {
    return this.#port
  }

  async open(): Promise<void> {
    this.#server = net.createServer(socket => this.#serve(socket))
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Its process ends: nothing listens until it is opened again. */
  end(): void {
    this.#server.close()
    for (const socket of this.sockets) socket.destroy()
  }

  #serve(socket: net.Socket): void {
    this.sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket))
    let text = ''
    socket.on('data', bytes => {
      text += bytes.toString('latin1')
      while (text !== '' && !socket.destroyed) {
        const size = text.indexOf('\r\n\r\n') + 4
        const head = text.slice(0, size)
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        if (size < 4) return
        const [method = '', path = ''] = head.split(' ')
        const id = path.slice(1)
        const isWhole = text.length >= size + length
        if (!isWhole && !this.isWell && this.#random.oneIn(40)) {
          text = ''
          socket.end(`HTTP/1.1 413 Too Large\r\nContent-Length: ${id.length}\r\nConnection: close\r\n\r\n${id}`)
        }
        if (!isWhole) return
        if (text.slice(size, size + length) !== bodyOf(id, length)) this.faults.push(`${id} has another body`)
        text = text.slice(size + length)
        this.received.set(`${method} ${id}`, (this.received.get(`${method} ${id}`) ?? 0) + 1)
        this.#answer(socket, id)
      }
    })
  }

  #answer(socket: net.Socket, id: string): void {
    const body = `${id} ${'z'.repeat(this.#random.oneIn(4) ? 200_000 : 0)}`
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    switch (this.isWell ? 0 : this.#random.below(12)) {
      case 6:
        socket.write(answer)
        return void socket.destroy()
      case 7:
        return void socket.end(answer)
      case 8:
        return void socket.destroy()
      case 9:
        return void setImmediate(() => socket.write(answer))
      case 10:
        socket.write(answer)
        return void setImmediate(() => socket.destroy())
      case 11:
        socket.write(answer.slice(0, 20))
        return void setImmediate(() => socket.write(answer.slice(20)))
      default:
        socket.write(answer)
    }
  }
}
