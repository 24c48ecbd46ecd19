import {once} from 'node:events'
import {connect} from 'node:net'

const PIECE = Buffer.alloc(64 * 1024, 'x')
const PIECES = 128
const SIZE = PIECE.length * PIECES

/** The start of a request with 8 MB behind it, and how it frames them. */
export interface LongRequest {
  /** A port of this machine, or the path of a socket. */
  readonly to: number | string
  /** The first line, and more if there is more. */
  readonly head: string
  readonly framing: 'length' | 'chunks'
}

/** Sends all of a request before it reads anything, and then all that came; '' where the connection was reset. */
export async function answerAfterAll({to, head, framing}: LongRequest): Promise<string> {
  const socket = connect(typeof to === 'string' ? {path: to} : {port: to, host: '127.0.0.1'})
  let text = ''
  let isReset = false
  // one listener: `once` would reject
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()).on('error', () => (isReset = true)))
  await Promise.race([once(socket, 'connect'), closed])
  socket.pause()
  const isChunked = framing === 'chunks'
  const line = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${SIZE}`
  socket.write(`${head}\r\n${line}\r\n\r\n`)
  for (let n = 0; n < PIECES && !socket.destroyed; n++) {
    if (isChunked) socket.write(`${PIECE.length.toString(16)}\r\n`)
    await new Promise<void>(resolve => socket.write(PIECE, () => resolve()))
    if (isChunked) socket.write('\r\n')
  }
  if (isChunked) socket.write('0\r\n\r\n')
  // a caller who ends before it has its answer has left
  socket.once('data', () => socket.end())
  socket.on('data', bytes => (text += bytes.toString('latin1'))).resume()
  await closed
  return isReset ? '' : text
}
