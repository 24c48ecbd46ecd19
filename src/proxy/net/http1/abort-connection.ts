import net from 'node:net'
import type {Duplex} from 'node:stream'
import {isOnUnixSocket} from '../claimed-server.ts'

/** Closes a caller's connection by RST, so that a response without a length is not taken for complete. */
export const abortConnection = (socket: Duplex): void => {
  if (socket instanceof net.Socket && !isOnUnixSocket(socket)) socket.resetAndDestroy()
  else socket.destroy()
}
