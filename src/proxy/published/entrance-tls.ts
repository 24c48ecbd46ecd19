import type net from 'node:net'
import type {SecureContext, Server, TLSSocket} from 'node:tls'
import {namedHost} from './entrance-host.ts'

/** The first byte of a connection with TLS (RFC 8446 §5.1). */
export const TLS_HANDSHAKE = 0x16

/** How long a handshake may take, in ms. */
const HANDSHAKE_MS = 10_000

/** A certificate with its key, both as PEM. */
export interface NamedCertificate {
  readonly certificate: string
  readonly key: string
}

export interface EntranceTlsOptions {
  /** The certificate of a host name of a run; undefined for any other name. */
  readonly certificateOf: (name: string) => Promise<NamedCertificate | undefined>
  /** Serves a connection after its handshake, by HTTP/2 if its caller can. */
  readonly serve: (socket: net.Socket, isHttp2: boolean) => void
}

/**
 * Decrypts connections to the entrance. Each name has a certificate of its own; a handshake without a name of ours fails, so that strangers
 * cannot make us create certificates.
 */
export class EntranceTls {
  readonly #server: Server
  readonly #contexts = new Map<string, {readonly certificate: string; readonly context: SecureContext}>()
  readonly #options: EntranceTlsOptions

  constructor(options: EntranceTlsOptions) {
    this.#options = options
    // an ES import of it would load it with the entrance
    const {createServer} = process.getBuiltinModule('node:tls')
    this.#server = createServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      SNICallback: (name, answer) => {
        this.#contextOf(namedHost(name).name).then(
          context => (context === undefined ? answer(new Error(`no app is called ${name}`)) : answer(null, context)),
          answer
        )
      }
    })
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      // a client without SNI names no app
      if (socket.servername) options.serve(socket, socket.alpnProtocol === 'h2')
      else socket.destroy()
    })
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  /** Takes a connection that begins with these bytes of a handshake. */
  accept(socket: net.Socket, early: Buffer): void {
    // a flowing socket would drop them before TLS reads it
    socket.pause().unshift(Buffer.from(early))
    this.#server.emit('connection', socket)
  }

  async #contextOf(name: string): Promise<SecureContext | undefined> {
    const pair = await this.#options.certificateOf(name)
    if (pair === undefined) return undefined
    const known = this.#contexts.get(name)
    if (known?.certificate === pair.certificate) return known.context
    const {createSecureContext} = process.getBuiltinModule('node:tls')
    const context = createSecureContext({cert: pair.certificate, key: pair.key})
    this.#contexts.set(name, {certificate: pair.certificate, context})
    return context
  }
}
