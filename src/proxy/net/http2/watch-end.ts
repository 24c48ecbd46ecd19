import type {ServerHttp2Session} from 'node:http2'
import type {Duplex} from 'node:stream'

const WATCH_MS = 1000

/** Node has no public API for reading a socket that belongs to a session. */
const read = (socket: Duplex): void =>
  (Reflect.get(socket, '_handle') as {readStart?(): void} | null | undefined)?.readStart?.()

/**
 * After a GOAWAY and a protocol error, node stops reading the connection, waits for its streams, and does not notice when
 * the client closes it (Node 26). This keeps reading until it does.
 */
export function watchEnd(session: ServerHttp2Session, socket: Duplex): void {
  const watch = (): void => {
    const timer = setInterval(() => read(socket), WATCH_MS).unref()
    session.once('close', () => clearInterval(timer))
  }
  // Node keeps a session whose settings were not acknowledged in memory while it has a reference to its error.
  session.once('goaway', watch).once('close', () => session.off('goaway', watch))
}
