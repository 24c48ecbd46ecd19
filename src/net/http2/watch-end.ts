import type {ServerHttp2Session} from 'node:http2'
import type {Duplex} from 'node:stream'

const WATCH_MS = 1000

/** There is no public way to read a socket that belongs to a session. */
const read = (socket: Duplex): void =>
  (Reflect.get(socket, '_handle') as {readStart?(): void} | null | undefined)?.readStart?.()

/**
 * A client that says GOAWAY and then breaks the protocol is not read any more by node, which waits for its streams and
 * does not see it leave (Node 26). So it is read on until it does.
 */
export function watchEnd(session: ServerHttp2Session, socket: Duplex): void {
  const watch = (): void => {
    const timer = setInterval(() => read(socket), WATCH_MS).unref()
    session.once('close', () => clearInterval(timer))
  }
  // Node keeps a session whose settings were never acknowledged as long as anything leads from it to its error.
  session.once('goaway', watch).once('close', () => session.off('goaway', watch))
}
