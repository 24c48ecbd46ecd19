import http from 'node:http'
import http2 from 'node:http2'
import {soon} from './connection.ts'

/** What a caller sees of an answer. */
export interface Seen {
  /** It ended as it should, so a program takes it for whole. */
  readonly isWhole: boolean
  /** 0: there was none. */
  readonly status: number
  readonly body: string
}

export interface Call {
  readonly port: number
  readonly path: string
  readonly method: 'GET' | 'POST' | 'HEAD'
  /** Undefined: none. */
  readonly body?: string | undefined
  /** Of HTTP/1: the body goes in chunks, which takes another way through the sidecar than one with a length. */
  readonly isChunked?: boolean
}

/** How calls are made. */
export type Caller = (call: Call) => Promise<Seen>

const NOTHING: Seen = {isWhole: false, status: 0, body: ''}

/** One call of HTTP/1, by node:http as a program makes it. Its connection is kept where an agent is given. */
export const http1Caller =
  (agent: http.Agent | false): Caller =>
  async ({port, path, method, body, isChunked = false}) => {
    const seen = Promise.withResolvers<Seen>()
    const headers = isChunked || body === undefined ? {} : {'content-length': Buffer.byteLength(body)}
    const request = http.request({host: '127.0.0.1', port, path, method, agent, headers}, response => {
      const pieces: Buffer[] = []
      response
        .on('data', (piece: Buffer) => pieces.push(piece))
        .on('error', () => undefined)
        .on('close', () => {
          const text = Buffer.concat(pieces).toString('latin1')
          seen.resolve({isWhole: response.complete, status: response.statusCode ?? 0, body: text})
        })
    })
    request.on('error', () => seen.resolve(NOTHING)).on('upgrade', (_, socket) => socket.destroy())
    if (isChunked) request.write(body ?? '')
    request.end(isChunked ? undefined : body)
    return soon(seen.promise, () => `${method} ${path} by HTTP/1`)
  }

/** One stream of a session; it is whole when it ended without a reset. */
export async function callStream(session: http2.ClientHttp2Session, {path, method, body}: Call): Promise<Seen> {
  const seen = Promise.withResolvers<Seen>()
  const stream = session.request({':method': method, ':path': path}, {endStream: body === undefined})
  const pieces: Buffer[] = []
  let [status, hasEnded] = [0, false]
  stream
    .on('response', headers => (status = headers[':status'] ?? 0))
    .on('data', (piece: Buffer) => pieces.push(piece))
    .on('end', () => (hasEnded = true))
    .on('error', () => undefined)
    .on('close', () => {
      const isWhole = hasEnded && stream.rstCode === 0 && status !== 0
      seen.resolve({isWhole, status, body: Buffer.concat(pieces).toString('latin1')})
    })
  if (body !== undefined) stream.end(body)
  return soon(seen.promise, () => `${method} ${path} by HTTP/2`)
}

/** One call of HTTP/2 on a connection of its own. */
export const http2Caller: Caller = async call => {
  const session = http2.connect(`http://127.0.0.1:${call.port}`)
  session.on('error', () => undefined)
  try {
    return await callStream(session, call)
  } finally {
    session.destroy()
  }
}
