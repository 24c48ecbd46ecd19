import {once} from 'node:events'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'

/** A server that answers nothing to its end: `/events` begins to answer, a websocket stands, all else is never answered. */
export class Endless {
  readonly port: number
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  readonly #awaited = new Map<string, () => void>()

  constructor(server: net.Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined)
      let head = ''
      const read = (bytes: Buffer): void => {
        head += bytes.toString('latin1')
        if (!head.includes('\r\n\r\n')) return
        socket.off('data', read).resume()
        this.#serve(socket, head)
      }
      socket.on('data', read)
    })
  }

  /** Settles when a request for this path and query has come. */
  async arrival(url: string): Promise<void> {
    return new Promise(resolve => this.#awaited.set(url, resolve))
  }

  /** How many are connected to it. */
  get connections(): number {
    return this.#sockets.size
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: net.Socket, head: string): void {
    const url = head.split(' ')[1] ?? ''
    if (/^upgrade: websocket\r$/im.test(head))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    else if (url.startsWith('/events'))
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n'
      )
    this.#awaited.get(url)?.()
  }
}

/** An endless server on a port of its own. */
export async function endlessServer(): Promise<Endless> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new Endless(server)
}

/** Where an endless server is called: at this port, by this path. */
export interface Way {
  readonly port: number
  /** In front of the server's own path. */
  readonly prefix: string
  readonly server: Endless
}

/** A connection that stands. */
export interface Standing {
  readonly closed: Promise<unknown>
}

let count = 0

const connect = async (port: number): Promise<Standing & {readonly socket: net.Socket}> => {
  const socket = net.connect({port, host: '127.0.0.1', noDelay: true})
  const closed = new Promise(resolve => socket.on('close', resolve))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return {socket, closed}
}

type Open = (way: Way) => Promise<Standing>

/** Bytes that no answer is waited for. */
const sent =
  (text: string): Open =>
  async ({port}) => {
    const {socket, closed} = await connect(port)
    await new Promise(resolve => socket.write(text, 'latin1', resolve))
    socket.resume()
    return {closed}
  }

interface Asking {
  readonly method?: string
  readonly path?: string
  readonly lines?: string
  readonly behind?: string
}

/** A request of HTTP/1 that has arrived at the server. */
const asked =
  ({method = 'GET', path = '/poll', lines = '', behind = ''}: Asking): Open =>
  async ({port, prefix, server}) => {
    const url = `${path}?${++count}`
    const arrived = server.arrival(url)
    const {socket, closed} = await connect(port)
    const answered = path === '/poll' ? undefined : once(socket, 'data')
    socket.write(`${method} ${prefix}${url} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n${behind}`, 'latin1')
    await Promise.race([arrived, closed])
    await Promise.race([answered, closed])
    socket.resume()
    return {closed}
  }

/** A stream of HTTP/2 that has arrived at the server; more of its request may be still to come. */
const streamed =
  (method: string, path: string): Open =>
  async ({port, prefix, server}) => {
    const url = `${path}?${++count}`
    const arrived = server.arrival(url)
    const session = http2.connect(`http://localhost:${port}`, {family: 4} as object)
    const closed = new Promise(resolve => session.on('close', resolve))
    session.on('error', () => undefined)
    const stream = session.request({':method': method, ':path': `${prefix}${url}`}, {endStream: method === 'GET'})
    stream.on('error', () => undefined).resume()
    if (method !== 'GET') stream.write('half')
    await Promise.race([arrived, closed])
    return {closed}
  }

/** Settings without any, as a frame. */
const SETTINGS = '\0\0\0\x04\0\0\0\0\0'
export const PREFACE = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SETTINGS}`
export const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'
export const WEBSOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

/** What may stand at any port of ours that speaks HTTP. */
export const halves: Readonly<Record<string, Open>> = {
  'a connection that says nothing': sent(''),
  'half a first line': sent('GET /v1.0/hea'),
  'half a head': sent('GET / HTTP/1.1\r\nHost: loc'),
  'half a preface': sent(PREFACE.slice(0, 20)),
  'a preface alone': sent(PREFACE)
}

/** What may wait for an app that never listens. */
export const waiting: Readonly<Record<string, (path: string) => Open>> = {
  'a call': path => sent(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
  'a broken head behind a call': path => sent(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\nGET\r\n\r\n`),
  'an upgrade behind a call': path =>
    sent(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\nGET ${path} HTTP/1.1\r\nHost: a\r\n${H2C}\r\n`),
  'a websocket': path => sent(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${WEBSOCKET}\r\n`)
}

/** What may stand where calls are passed on. */
export const calls: Readonly<Record<string, Open>> = {
  'a long poll': asked({}),
  'a long poll of node:http': asked({lines: 'Expect: 100-continue\r\n'}),
  'a stream of events': asked({path: '/events'}),
  'requests behind a stream of events': asked({path: '/events', behind: 'GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET'}),
  'a websocket': asked({path: '/socket', lines: WEBSOCKET}),
  'half an upload': asked({method: 'POST', lines: 'Content-Length: 100\r\n', behind: 'half'}),
  'half an upload in chunks': asked({method: 'POST', lines: 'Transfer-Encoding: chunked\r\n', behind: '4\r\nhalf\r\n'})
}

/** The same in HTTP/2. */
export const streams: Readonly<Record<string, Open>> = {
  'a stream of HTTP/2': streamed('GET', '/poll'),
  'a stream of HTTP/2 that is answered': streamed('GET', '/events'),
  'half an upload in HTTP/2': streamed('POST', '/poll'),
  'a connection upgraded to HTTP/2': asked({lines: H2C, behind: PREFACE}),
  'an upgrade to HTTP/2 without more': async ({port}) => {
    const {socket, closed} = await connect(port)
    socket.write(`GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n${H2C}\r\n`)
    await once(socket, 'data')
    socket.resume()
    return {closed}
  }
}
