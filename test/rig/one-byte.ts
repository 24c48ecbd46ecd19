import {once} from 'node:events'
import net, {type Socket} from 'node:net'

export interface OneBytePost {
  readonly port: number
  readonly path: string
  readonly body: string
}

/** The status of a post whose body comes in chunks of one byte; '' where the connection was closed without an answer. */
export async function inPieces({port, path, body}: OneBytePost, opened?: (socket: Socket) => void): Promise<string> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined)
  opened?.(socket)
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let text = ''
  socket.on('data', bytes => {
    text += bytes.toString('latin1')
    if (text.includes('\r\n\r\n')) socket.destroy()
  })
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
  )
  for (let at = 0; at < body.length && !socket.destroyed; at += 10_000) {
    const chunks = body.slice(at, at + 10_000).replaceAll(/[^]/g, '1\r\n$&\r\n')
    if (!socket.write(chunks, 'latin1')) await Promise.race([once(socket, 'drain').catch(() => undefined), closed])
  }
  if (!socket.destroyed) socket.write('0\r\n\r\n')
  await closed
  return text.split(' ', 2)[1] ?? ''
}
