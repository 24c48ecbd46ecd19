import http2, {type ClientHttp2Session, type ClientHttp2Stream} from 'node:http2'
import net from 'node:net'
import type {Random} from '../../fuzz/random.ts'
import type {GrpcApp} from './grpc-app.ts'
import {messageOf, Messages} from './grpc-messages.ts'

const SIZES = [0, 10, 300, 20_000, 200_000, 300_000]

const nothing = (): void => undefined

/** Of a connection that is lost, and of settings that are changed too often. */
const HARMLESS = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNREFUSED',
  'ERR_SOCKET_CLOSED',
  'ERR_HTTP2_MAX_PENDING_SETTINGS_ACK'
])

/** A call as its caller knows it. */
export interface Asked {
  readonly id: string
  readonly path: string
  /** Messages that it sends in all. */
  readonly count: number
  readonly stream: ClientHttp2Stream
  /** What is to be sent; undefined: all was. */
  rest: string | undefined
  /** The caller has left. */
  isGivenUp: boolean
  /** Each one that has come. */
  readonly statuses: number[]
}

/** Opens calls on a connection, sends their messages in pieces, reads the answers late, changes its settings, and leaves. */
export class GrpcCaller {
  /** Calls whose streams are not closed. */
  readonly asked = new Map<string, Asked>()
  readonly over: Asked[] = []
  readonly #random: Random
  readonly #port: number
  readonly #app: GrpcApp
  #paused: ClientHttp2Stream[] = []
  /** Its connection ends, and another one follows. */
  #hasLeft = false
  #session: ClientHttp2Session
  #socket: net.Socket | undefined

  constructor(random: Random, port: number, app: GrpcApp) {
    this.#random = random
    this.#port = port
    this.#app = app
    this.#session = this.#connect()
  }

  /** False: it has no connection now. */
  ask(id: string, kinds: readonly string[]): boolean {
    const random = this.#random
    const session = this.#session
    if (this.#hasLeft || session.connecting || session.closed || session.destroyed) return false
    const path = `/walk.S/${random.pick(kinds)}${random.oneIn(2) ? id : ''}`
    const timeout = random.oneIn(6) ? {'grpc-timeout': random.pick(['10S', '1m', '3m', '500u'])} : {}
    const count = random.oneIn(2) ? 1 : random.below(random.oneIn(4) ? 20 : 5)
    // without one, the id is that of its first message
    const named = random.oneIn(2) || count === 0 ? {'x-id': id} : {}
    const head = {':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers'}
    const stream = session.request({...head, 'dapr-app-id': 'shop', ...timeout, ...named})
    const rest = Array.from({length: count}, (_, number) => messageOf(id, number, random.pick(SIZES))).join('')
    const asked: Asked = {id, path, count, stream, rest, isGivenUp: false, statuses: []}
    this.asked.set(id, asked)
    this.#read(asked)
    if (random.oneIn(2)) this.#send(asked, Infinity)
    return true
  }

  /** Sends more of the messages, gives up a call, reads on, or has other settings. */
  act(): string {
    const random = this.#random
    const some = random.pick([...this.asked.values()])
    switch (random.below(8)) {
      case 0:
        if (some === undefined || !random.oneIn(2)) return 'a caller: nothing'
        some.isGivenUp = true
        some.stream.close(random.pick([8, 2]))
        return `a caller gives up ${some.id}`
      case 1:
        if (this.#session.destroyed || this.#session.connecting) return 'a caller: nothing'
        this.#session.settings({initialWindowSize: random.pick([0, 1, 50, 65_535, 1 << 20])})
        return 'a caller has another window'
      case 2:
        for (const stream of this.#paused.splice(0)) stream.resume()
        return 'a caller reads on'
      case 3:
        if (!random.oneIn(10)) return 'a caller: nothing'
        this.#giveUp()
        if (random.oneIn(2)) this.#session.close()
        else this.#socket?.destroy()
        return 'a caller leaves'
      default:
        if (some !== undefined) this.#send(some, 1 + random.below(random.oneIn(2) ? 80_000 : 40))
        return `a caller sends more of ${some?.id ?? 'nothing'}`
    }
  }

  /** All is sent and read from now on. */
  recover(): void {
    if (!this.#session.destroyed && !this.#session.connecting) this.#session.settings({initialWindowSize: 1 << 20})
    for (const stream of this.#paused.splice(0)) stream.resume()
    for (const each of this.asked.values()) this.#send(each, Infinity)
  }

  #giveUp(): void {
    this.#hasLeft = true
    for (const each of this.asked.values()) each.isGivenUp = true
  }

  close(): void {
    this.#session.removeAllListeners('close').destroy()
  }

  #read(asked: Asked): void {
    const {id, path, stream, statuses} = asked
    const {faults} = this.#app
    const messages = new Messages(id, text => faults.push(`to the caller: ${path}: ${text}`))
    const take = (fields: http2.IncomingHttpHeaders): void => {
      if (fields['grpc-status'] !== undefined) statuses.push(Number(fields['grpc-status']))
      if (fields['x-id'] !== undefined && fields['x-id'] !== id)
        faults.push(`${id} got the answer to ${String(fields['x-id'])}`)
    }
    let end: http2.IncomingHttpHeaders = {}
    stream
      .on('response', take)
      .on('trailers', fields => {
        end = fields
        take(fields)
      })
      .on('data', (bytes: Buffer) => {
        messages.take(bytes)
        if (!this.#random.oneIn(10)) return
        stream.pause()
        this.#paused.push(stream)
      })
      .on('error', nothing)
      .on('close', () => {
        this.asked.delete(id)
        this.over.push(asked)
        this.#check(asked, messages, end)
      })
  }

  #check(
    {id, path, count, stream, statuses, isGivenUp}: Asked,
    messages: Messages,
    end: http2.IncomingHttpHeaders
  ): void {
    const {faults} = this.#app
    if (isGivenUp) return
    const mayBreak = path.includes('Faulted')
    if (statuses.length > 1 || (statuses.length === 0 && !mayBreak))
      faults.push(`${id} ${path} has ended with ${statuses.length} statuses, reset ${stream.rstCode}`)
    if (statuses[0] !== 0) return
    if (this.#app.received(id) === 0 && !mayBreak) faults.push(`${id} is answered, and has not come`)
    if (end['x-count'] === undefined) return
    if (Number(end['x-count']) !== messages.count || !messages.isWhole)
      faults.push(`${id} got ${messages.count} messages of ${String(end['x-count'])}`)
    const got = Number(end['x-got'])
    if (got >= 0 && got !== count) faults.push(`of ${id} ${got} messages came to the app, of ${count}`)
  }

  #send(asked: Asked, bytes: number): void {
    const {rest, stream} = asked
    if (rest === undefined || stream.destroyed || stream.closed) return
    asked.rest = rest.length <= bytes ? undefined : rest.slice(bytes)
    if (asked.rest === undefined) stream.end(rest, 'latin1')
    else stream.write(rest.slice(0, bytes), 'latin1')
  }

  #connect(): ClientHttp2Session {
    this.#hasLeft = false
    const socket = net.connect(this.#port, '127.0.0.1')
    this.#socket = socket
    const session = http2.connect(`http://127.0.0.1:${this.#port}`, {
      createConnection: () => socket,
      settings: {
        initialWindowSize: this.#random.pick([0, 1, 65_535, 1 << 20]),
        headerTableSize: this.#random.pick([0, 4096])
      }
    })
    return session
      .on('error', (error: Error & {code?: string}) => {
        this.#giveUp()
        if (!HARMLESS.has(error.code ?? '')) this.#app.faults.push(`a caller finds a fault: ${error.message}`)
      })
      .on('goaway', (code: number) => {
        if (code !== 0) this.#app.faults.push(`a caller was told of a fault of it: GOAWAY ${code}`)
      })
      .on('frameError', nothing)
      .on('close', () => (this.#session = this.#connect()))
  }
}
