import net from 'node:net'
import {CALLER} from '../../model/app-name.ts'

export interface PassedOn {
  /** The control socket of the other run. */
  readonly path: string
  /** Protocol of the upgrade, known to the other run. */
  readonly protocol: string
  readonly caller: object
  /** The bytes that were read already. */
  readonly early: Buffer
  /** Called if the other run has not accepted it. */
  readonly failed: () => void
}

/** Passes on a connection to another run by an upgrade at its control socket, with all that follows on it. */
export function passOn(socket: net.Socket, {path, protocol, caller, early, failed}: PassedOn): void {
  const other = net.connect({path, allowHalfOpen: true})
  const lines = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n${CALLER}: ${JSON.stringify(caller)}\r\n`
  other.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`)
  other.write(early)
  relay(socket, other, failed)
}

/** Passes all bytes between a connection and its continuation. `failed` is called if nothing answers there. */
export function relay(socket: net.Socket, other: net.Socket, failed: () => void): void {
  socket.pipe(other)
  other.pipe(socket)
  socket.on('error', () => socket.destroy()).on('close', () => other.destroy())
  other
    .on('error', () => {
      if (other.bytesRead > 0) socket.resetAndDestroy()
      else failed()
    })
    .on('close', () => socket.destroySoon())
}
