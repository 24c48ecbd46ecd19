import net from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import {bodyOf, type HttpApp} from './http-app.ts'

const BODIES = [1, 2, 50, 20_000, 70_000, 300_000]

interface Asked {
  readonly id: string
  readonly method: string
}

/** Sends one request after the other on a connection, its bodies in pieces, and reads the answers. */
export class HttpCaller {
  /** The request that is not answered yet. */
  asked: Asked | undefined
  answered = 0
  readonly #random: Random
  readonly #port: number
  readonly #app: HttpApp
  /** What is to be sent. */
  #pieces: Buffer[] = []
  #text = ''
  #socket: net.Socket

  constructor(random: Random, port: number, app: HttpApp) {
    this.#random = random
    this.#port = port
    this.#app = app
    this.#socket = this.#connect()
  }

  /** Begins a request, unless one is under way. */
  ask(id: string): boolean {
    if (this.asked !== undefined || this.#pieces.length > 0 || this.#socket.pending) return false
    const method = this.#random.oneIn(3) ? 'GET' : 'POST'
    const bytes = method === 'GET' ? 0 : this.#random.pick(BODIES)
    const length = method === 'GET' ? '' : `Content-Length: ${bytes}\r\n`
    const head = `${method} /${id} HTTP/1.1\r\nHost: x\r\n${length}\r\n`
    const whole = Buffer.from(head + bodyOf(id, bytes))
    for (let at = 0; at < whole.length;) {
      const size = 1 + this.#random.below(this.#random.oneIn(2) ? 80_000 : 40)
      const end = at === 0 ? head.length + this.#random.below(3) : at + size
      this.#pieces.push(whole.subarray(at, end))
      at = end
    }
    this.asked = {id, method}
    this.send(this.#random.below(3))
    return true
  }

  /** Sends more pieces of the request. */
  send(pieces: number): void {
    for (const piece of this.#pieces.splice(0, pieces)) this.#socket.write(piece)
  }

  /** Leaves, and comes again. */
  leave(): void {
    this.#socket.destroy()
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy()
  }

  #connect(): net.Socket {
    const socket = net.connect({port: this.#port, host: '127.0.0.1', noDelay: true})
    this.#text = ''
    return socket
      .on('error', () => undefined)
      .on('data', bytes => this.#read(bytes.toString('latin1')))
      .on('close', () => {
        this.asked = undefined
        this.#pieces = []
        this.#socket = this.#connect()
      })
  }

  #read(more: string): void {
    this.#text += more
    const size = this.#text.indexOf('\r\n\r\n') + 4
    const head = this.#text.slice(0, size)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (size < 4 || this.#text.length < size + length) return
    const [id = ''] = this.#text.slice(size, size + length).split(' ')
    this.#text = this.#text.slice(size + length)
    this.#check(head.slice(9, 12), id)
    this.answered++
    this.asked = undefined
    // the rest of a body that is not wanted may follow, or not
    if (/connection: close/i.test(head) || (this.#pieces.length > 0 && this.#random.oneIn(2))) this.leave()
  }

  #check(status: string, id: string): void {
    const {faults, received} = this.#app
    if (this.asked === undefined) return void faults.push(`an answer to nothing: ${status} ${id}`)
    const {id: own, method} = this.asked
    if ((status === '200' || status === '413') && id !== own) faults.push(`${own} got the answer of ${id}`)
    if (status === '200' && !received.has(`${method} ${own}`)) faults.push(`${own} is answered, and has not come`)
  }
}
