import type net from 'node:net'
import type {SecureContext, TLSSocket} from 'node:tls'
import {namedHost} from './entrance-host.ts'

/** The first byte of a connection with TLS (RFC 8446 §5.1). */
export const TLS_HANDSHAKE = 0x16

/** How long a handshake may take, in ms. */
const HANDSHAKE_MS = 10_000

export interface EntranceTlsOptions {
  /** The certificate and key of a host name of a run; undefined for any other name. */
  readonly contextOf: (name: string) => Promise<SecureContext | undefined>
  /** Serves a connection after its handshake, by HTTP/2 if its caller can. */
  readonly serve: (socket: net.Socket, isHttp2: boolean) => void
}

/**
 * Returns a function that decrypts a connection, of which it gets the first bytes. A handshake without a name of ours fails, so that
 * strangers cannot make us create certificates.
 */
export function openTls({contextOf, serve}: EntranceTlsOptions): (socket: net.Socket, early: Buffer) => void {
  // an ES import of it would load it with the entrance
  const {createServer} = process.getBuiltinModule('node:tls')
  const server = createServer({
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: HANDSHAKE_MS,
    SNICallback: (name, answer) => {
      contextOf(namedHost(name).name).then(
        context => (context === undefined ? answer(new Error(`no app is called ${name}`)) : answer(null, context)),
        answer
      )
    }
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    // a client without SNI names no app
    if (socket.servername) serve(socket, socket.alpnProtocol === 'h2')
    else socket.destroy()
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return (socket, early) => {
    // a flowing socket would drop them before TLS reads it
    socket.pause().unshift(Buffer.from(early))
    server.emit('connection', socket)
  }
}
