import net from 'node:net'
import {CALLER} from '../../model/app-name.ts'

export interface PassedOn {
  /** The control socket of the other run. */
  readonly path: string
  /** Value of the `Upgrade` header, by which the other run knows how to serve the connection. */
  readonly protocol: string
  readonly caller: object
  /** Bytes already read from the connection, which the other run gets first. */
  readonly early: Buffer
  /** Called if the connection to the other run fails before it has sent a byte. */
  readonly failed: () => void
}

/** Relays a connection to another run, through an HTTP upgrade at its control socket. */
export function passOn(socket: net.Socket, {path, protocol, caller, early, failed}: PassedOn): void {
  const other = net.connect({path, allowHalfOpen: true})
  const lines = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n${CALLER}: ${JSON.stringify(caller)}\r\n`
  other.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`)
  other.write(early)
  relay(socket, other, failed)
}

/** Relays all bytes between two sockets. `failed`: called if `other` fails before it has sent a byte. */
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
