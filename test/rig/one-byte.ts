import {once} from 'node:events'
import net from 'node:net'
import {setImmediate as turn} from 'node:timers/promises'

export interface OneBytePost {
  readonly port: number
  readonly path: string
  readonly body: string
}

/** The status of a post whose body comes in chunks of one byte; '' where the connection was closed without an answer. */
export async function inPieces({port, path, body}: OneBytePost): Promise<string> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined)
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let text = ''
  socket.on('data', bytes => {
    text += bytes.toString('latin1')
    if (text.includes('\r\n\r\n')) socket.destroy()
  })
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
  )
  const bytes = Buffer.from(body, 'latin1')
  for (let at = 0; at < bytes.length && !socket.destroyed; at += 10_000) {
    if (!socket.write(chunksOf(bytes.subarray(at, at + 10_000))))
      await Promise.race([once(socket, 'drain').catch(() => undefined), closed])
    // the system takes much at once: others of this process, some of which connect still, have their turn
    await turn()
  }
  if (!socket.destroyed) socket.write('0\r\n\r\n')
  await closed
  return text.split(' ', 2)[1] ?? ''
}

const CHUNK = Buffer.from('1\r\nx\r\n')

/** Each byte as a chunk of its own. */
function chunksOf(bytes: Buffer): Buffer {
  const chunks = Buffer.alloc(CHUNK.length * bytes.length, CHUNK)
  for (const [index, byte] of bytes.entries()) chunks[CHUNK.length * index + 3] = byte
  return chunks
}
