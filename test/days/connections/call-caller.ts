import net from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import {bodyOf} from './body.ts'
import {answerTo, KINDS, readChunks, type Kind} from './call-app.ts'

const BODIES = [0, 1, 2, 50, 20_000, 70_000, 300_000]
const AHEAD = 3
/** In place of the head of an answer that ends with the connection. */
const UNTIL_CLOSE = 'connection: close'

/** A request under way. */
export interface Asked {
  readonly id: string
  readonly method: string
  readonly kind: Kind
  readonly bytes: number
  /** It ends the connection. */
  readonly isAlone: boolean
  /** What happened meanwhile that may end it with an error. */
  harm: string
  /** The caller waits for the interim answer before it sends the body. */
  held: readonly Buffer[]
}

/** Where requests of a caller go, and how their paths begin. */
export interface Place {
  readonly name: string
  readonly port: number
  readonly prefix: string
  /** Interim answers of the app are passed on. */
  readonly hasInterim: boolean
  readonly isOutside: boolean
}

/** Sends requests on one connection, some before the ones before are answered, and reads the answers. */
export class CallCaller {
  readonly asked: Asked[] = []
  readonly place: Place
  readonly answered: Asked[] = []
  readonly #random: Random
  readonly #faults: string[]
  #pieces: Buffer[] = []
  #text = ''
  #socket: net.Socket
  /** The connection is a websocket: what it has sent, and how much of it came back. */
  #sent: string | undefined

  constructor(random: Random, place: Place, faults: string[]) {
    this.#random = random
    this.place = place
    this.#faults = faults
    this.#socket = this.#connect()
  }

  ask(id: string, isTame: boolean): string {
    const random = this.#random
    const last = this.asked.at(-1)
    if (this.#socket.pending || this.asked.length >= AHEAD || this.#sent !== undefined) return ''
    // what ends the connection is asked alone
    if (last !== undefined && (['early', 'close'].includes(last.kind) || last.isAlone || last.held.length > 0))
      return ''
    if (this.#pieces.length > 0 && last !== undefined && random.oneIn(2)) return ''
    const kind = random.pick(!isTame && random.oneIn(4) ? KINDS.ill : KINDS.well)
    if (kind === 'websocket' && (this.place.isOutside || last !== undefined)) return ''
    const method = kind === 'websocket' ? 'GET' : random.pick(['GET', 'POST', 'POST', 'PUT', 'HEAD'])
    // it is whole, and its connection ends without a word
    if (method === 'HEAD' && (kind === 'cut' || kind === 'until-close')) return ''
    const bytes = method === 'POST' || method === 'PUT' ? random.pick(BODIES) : 0
    const body = bodyOf(id, bytes)
    const isChunked = bytes > 0 && random.oneIn(3)
    const isHeld = bytes > 0 && last === undefined && random.oneIn(6)
    const framing = isChunked
      ? 'Transfer-Encoding: chunked\r\n'
      : method.startsWith('P')
        ? `Content-Length: ${bytes}\r\n`
        : ''
    const isOld =
      kind !== 'cut' && kind !== 'websocket' && !isChunked && !isHeld && last === undefined && random.oneIn(10)
    const asksToSwitch =
      kind === 'websocket' || (kind === 'ok' && method === 'GET' && last === undefined && random.oneIn(3))
    const upgrade = asksToSwitch ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : ''
    const more = `${framing}${upgrade}${isHeld ? 'Expect: 100-continue\r\n' : ''}${random.oneIn(8) ? 'X-Odd: \u00e9\r\n' : ''}`
    const head = Buffer.from(
      `${method} ${this.place.prefix}${id}/${kind}/${bytes} HTTP/1.${isOld ? 0 : 1}\r\nHost: localhost\r\n${more}\r\n`,
      'latin1'
    )
    const rest = this.#cut(isChunked ? this.#inChunks(body) : body)
    this.#pieces.push(...(random.oneIn(6) ? [head.subarray(0, 9), head.subarray(9)] : [head]), ...(isHeld ? [] : rest))
    this.asked.push({id, method, kind, bytes, harm: '', isAlone: isOld || asksToSwitch, held: isHeld ? rest : []})
    this.send(random.below(3))
    return `${this.place.name} asks ${id}: ${method} ${kind} ${bytes}${isChunked ? ' in chunks' : ''}${isHeld ? ', expects 100' : ''}`
  }

  send(pieces: number): void {
    for (const piece of this.#pieces.splice(0, pieces)) this.#socket.write(piece)
  }

  /** Sends all, and reads. */
  finish(): void {
    this.read(true)
    this.send(Infinity)
  }

  read(isReading: boolean): void {
    if (isReading) this.#socket.resume()
    else this.#socket.pause()
  }

  /** Leaves, and comes again. */
  leave(how: 'destroy' | 'resetAndDestroy'): void {
    for (const each of this.asked) each.harm = 'its caller left'
    this.#socket[how]()
  }

  close(): void {
    this.#socket.removeAllListeners('close').destroy()
  }

  #cut(text: string): Buffer[] {
    const whole = Buffer.from(text, 'latin1')
    const pieces: Buffer[] = []
    for (let at = 0; at < whole.length;) {
      const size = 1 + this.#random.below(this.#random.oneIn(2) ? 80_000 : 4000)
      pieces.push(whole.subarray(at, at + size))
      at += size
    }
    return pieces
  }

  #inChunks(body: string): string {
    let text = ''
    for (let at = 0; at < body.length;) {
      const piece = body.slice(at, at + 1 + this.#random.below(30_000))
      text += `${piece.length.toString(16)}\r\n${piece}\r\n`
      at += piece.length
    }
    return `${text}0\r\n${this.#random.oneIn(2) ? 'x-trailer: 1\r\n' : ''}\r\n`
  }

  #connect(): net.Socket {
    const socket = net.connect({port: this.place.port, host: '127.0.0.1', noDelay: true})
    this.#text = ''
    return socket
      .on('error', () => undefined)
      .on('data', bytes => {
        this.#text += bytes.toString('latin1')
        try {
          while (this.#read());
        } catch (error) {
          this.#faults.push(`${this.place.name}: ${(error as Error).message}`)
          socket.destroy()
        }
      })
      .on('close', () => this.#closed())
  }

  #closed(): void {
    const [first, ...rest] = this.asked.splice(0)
    if (first !== undefined && this.#sent === undefined) {
      const {kind, harm, id, method} = first
      // an answer that breaks off is passed on as broken off
      if (harm === '' && kind !== 'cut')
        this.#faults.push(`${id} (${method} ${kind}) was cut at ${this.place.name}: "${this.#text.slice(0, 60)}"`)
    }
    // those behind it may not have been read
    for (const each of rest) each.harm ||= 'the connection ended before it'
    this.#pieces = []
    this.#sent = undefined
    this.#socket = this.#connect()
  }

  #read(): boolean {
    const [asked] = this.asked
    if (this.#sent !== undefined) return this.#readEcho()
    const size = this.#text.indexOf('\r\n\r\n') + 4
    if (size < 4) return false
    if (asked === undefined) throw new Error(`an answer to nothing: ${this.#text.slice(0, 80)}`)
    const head = this.#text.slice(0, size)
    const status = Number(head.slice(9, 12))
    const rest = this.#text.slice(size)
    if (status < 200 && status !== 101) {
      this.#text = rest
      if (status === 103 && !this.place.hasInterim) throw new Error('a 103 was passed on')
      if (status === 100) {
        this.#pieces.push(...asked.held)
        asked.held = []
      }
      return true
    }
    if (status === 101) {
      if (asked.kind !== 'websocket') throw new Error(`${asked.id} was switched`)
      this.#text = rest
      this.#sent = `hello ${asked.id} `.repeat(1 + this.#random.below(2000))
      this.#socket.write(this.#sent)
      return true
    }
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    let body: string | undefined
    let after = rest
    if (asked.method === 'HEAD' || status === 204 || status === 304) body = ''
    else if (/\r\ntransfer-encoding: chunked/i.test(head)) {
      const read = readChunks(rest)
      if (read !== undefined) ({body, rest: after} = read)
    } else if (length !== undefined) {
      if (rest.length >= Number(length)) [body, after] = [rest.slice(0, Number(length)), rest.slice(Number(length))]
    } else return this.#readUntilClose(asked, status)
    if (body === undefined) return false
    this.#text = after
    this.#done(asked, status, body, head)
    return true
  }

  #readUntilClose(asked: Asked, status: number): boolean {
    const socket = this.#socket
    socket.removeAllListeners('close').on('close', () => {
      const body = this.#text.slice(this.#text.indexOf('\r\n\r\n') + 4)
      this.#done(asked, status, body, UNTIL_CLOSE)
      this.#closed()
    })
    return false
  }

  #done(asked: Asked, status: number, body: string, head: string): void {
    const {id, kind, method, harm} = asked
    this.asked.shift()
    this.answered.push(asked)
    const wanted = kind === 'none' ? 204 : kind === 'same' ? 304 : kind === 'early' ? 413 : 200
    const isAnswer =
      status === wanted && (wanted === 204 || wanted === 304 || method === 'HEAD' || body === answerTo(id, kind))
    const isError = status >= 500 && (harm !== '' || kind === 'mute' || kind === 'cut')
    // without a length, as always for HTTP/1.0, its end looks like that of the whole
    const isHidden = head === UNTIL_CLOSE && harm !== '' && answerTo(id, kind).startsWith(body)
    if (!isAnswer && !isError && !isHidden)
      this.#faults.push(
        `${id} (${method} ${kind}, harm "${harm}") at ${this.place.name} was answered with ${status}: ${body.slice(0, 300)}`
      )
    const isPartOnWay = this.#pieces.length > 0 || asked.held.length > 0
    if (!/connection: close/i.test(head) && !asked.isAlone && !(isPartOnWay && this.#random.oneIn(2))) return
    // the rest of its body is left out
    for (const each of this.asked) each.harm ||= 'the connection ended before it'
    this.#socket.destroy()
  }

  #readEcho(): boolean {
    const sent = this.#sent ?? ''
    if (!sent.startsWith(this.#text)) throw new Error(`a websocket got "${this.#text.slice(0, 80)}"`)
    if (this.#text.length < sent.length) return false
    const [asked] = this.asked
    if (asked !== undefined) this.answered.push(asked)
    this.asked.shift()
    this.#socket.destroy()
    return false
  }
}
