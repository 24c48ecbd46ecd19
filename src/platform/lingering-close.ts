import net from 'node:net'
import type {Duplex} from 'node:stream'
import {readWith} from './shared-reads.ts'

/** Silence after which a connection is closed, in ms; Go's servers use the same (net/http: `rstAvoidanceDelay`). */
const QUIET_MS = 500
/** Maximum time that a peer may still send after the answer, in ms. */
const MAX_MS = 5000
/** Maximum number of bytes that a peer may still send. */
const MAX_BYTES = 64 * 1024 * 1024

const lingering = new WeakSet<Duplex>()

/**
 * Sends the rest, and closes a connection whose other side may still be sending. Discards received bytes until their end, silence, or a
 * limit. Closing with unread bytes would reset the connection, and the peer would lose an unread answer (RFC 9112 §9.6). No other code
 * may read the connection afterwards.
 */
export function closeLingering(socket: Duplex, last = ''): void {
  if (lingering.has(socket)) return
  lingering.add(socket)
  const close = (): void => void socket.destroy()
  let dropped = 0
  socket.removeAllListeners('data').removeAllListeners('end')
  readWith(socket, ({length}) => {
    dropped += length
    if (dropped > MAX_BYTES) close()
  })
  socket.on('end', () => {
    if (socket.writableFinished) close()
  })
  socket.end(last, 'latin1', () => {
    if (socket.readableEnded || socket.destroyed) return close()
    const late = setTimeout(close, MAX_MS)
    socket.once('close', () => clearTimeout(late))
    if (socket instanceof net.Socket) socket.setTimeout(QUIET_MS).on('timeout', () => closeIfQuiet(socket))
  })
  // ends a read that the stream believes to be under way: node:http may have paused the connection without telling it
  if (socket.readable) socket.push('')
  socket.resume()
}

/** Closes the connection, unless it has bytes that a busy event loop has not read yet. */
function closeIfQuiet(socket: net.Socket): void {
  const {bytesRead} = socket
  setImmediate(() =>
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) socket.destroy()
    })
  )
}

/** Makes node:http close a connection in this way after its last response. */
export const lingerAtEnd = (socket: Duplex): void => {
  if (socket instanceof net.Socket) socket.destroySoon = () => closeLingering(socket)
}
