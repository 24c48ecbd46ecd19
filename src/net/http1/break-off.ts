import net from 'node:net'
import type {Duplex} from 'node:stream'

/** Ends a caller's connection so that an answer which lasts until its end is not taken for whole: by RST. */
export const breakOff = (socket: Duplex): void => {
  if (socket instanceof net.Socket) socket.resetAndDestroy()
  else socket.destroy()
}
