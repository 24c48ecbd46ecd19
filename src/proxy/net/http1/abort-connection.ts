import net from 'node:net'
import type {Duplex} from 'node:stream'
import {isOnUnixSocket} from '../claimed-server.ts'

/**
 * Closes a caller's connection by RST, so that a response without a length does not look complete. Closes normally while the socket's end is
 * being sent: Node 26 would keep the connection and never report its end (EINVAL of uv_tcp_close_reset).
 */
export const abortConnection = (socket: Duplex): void => {
  const isEnding = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished
  if (socket instanceof net.Socket && !isOnUnixSocket(socket) && !isEnding) socket.resetAndDestroy()
  else socket.destroy()
}
