import type {Socket} from 'node:net'

/** Settles when a socket is closed, also when it is already, or is reset: for that `once` of node:events would reject. */
export const closed = async (socket: Socket): Promise<void> =>
  socket.closed ? undefined : new Promise(resolve => socket.on('error', () => undefined).once('close', () => resolve()))
