import type net from 'node:net'
import type {SecureContext, Server as TlsServer} from 'node:tls'
import {PASSED_ON} from '../../model/app-name.ts'
import type {Protocol} from '../../model/call-protocol.ts'
import {SHARED_HOST} from '../../platform/probe.ts'
import {copiedEnds, type Ends} from '../../platform/proc-net.ts'
import {replyText} from '../net/reply.ts'
import {CallPort, isHttp2} from './call-port.ts'
import {badHost, looped, misdirected, noName, notHttp, runGone, type ShownName} from './entrance-pages.ts'
import {streamsOfEntrance} from './entrance-streams.ts'
import {forwardedLines, namedHost, PASS_LINE, readAsked, type AskedHost, type Origin} from './entrance-host.ts'
import {hostSetting} from './host-refusal.ts'
import type {PublishedConnection} from './published-connection.ts'
import type {PublishedContext} from './published-port-call.ts'
import type {VerbatimHead} from './verbatim-head.ts'

/** Name that records show for a caller that is not an app of the run. */
const BROWSER = 'browser'

/** Maximum number of times that a request may pass the entrance: an app whose dev proxy calls its own name would loop forever. */
const MAX_PASSES = 5

/** The first byte of a connection with TLS (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16
/** How long a handshake may take, in ms. */
const HANDSHAKE_MS = 10_000

/** Matches a `Location` header with a port of this machine, up to the path. */
const TO_NUMBER = /^(location:[ \t]*)https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):(\d+)\/?/im

export interface EntranceOptions {
  /** Returns the certificate and key for a host name of a run; undefined: unknown name. */
  readonly contextOf: (name: string) => Promise<SecureContext | undefined>
  /** Returns the app of this run that has a host name; undefined: none. */
  readonly appNamed: (name: string) => PublishedContext | undefined
  /** Returns the function that serves this run's dashboard on a connection, `early` first; undefined: the name is not the dashboard's. */
  readonly dashboardNamed: (name: string) => ((socket: net.Socket, early: Buffer) => void) | undefined
  /** Returns the control socket of the other run that has a host name; '': none has. */
  readonly socketOf: (name: string) => string
  /** Lists the host names of all runs of the user. */
  readonly names: () => readonly ShownName[]
  readonly appAt: (ends: Ends) => string
  readonly warn: (text: string) => void
  /** Called with advice about an app that refuses its own name. */
  readonly hostRefused: (text: string) => void
}

/** The caller of a connection, and the address, scheme and protocol of its call. */
export interface EntranceCaller extends Origin {
  readonly ends: Ends
  readonly protocol: Protocol
}

/** The listener where a browser calls the apps of all runs of a user by name, such as `http://web.localhost`. `Host` chooses the app. */
export class Entrance extends CallPort {
  protected override readonly unknownCaller = BROWSER
  protected override readonly sharedAddress = SHARED_HOST
  readonly #options: EntranceOptions
  /** Apps whose refusal of their host name was reported. */
  readonly #explained = new Set<string>()
  /** Parsed heads: the requests of one connection often have the same head. */
  readonly #asked = new WeakMap<VerbatimHead, AskedHost>()
  /** Callers by their connections. */
  readonly #callers = new WeakMap<net.Socket, EntranceCaller>()
  #tls: TlsServer | undefined
  readonly #streams: ReturnType<typeof streamsOfEntrance>

  constructor(options: EntranceOptions) {
    super(options.appAt, options.warn)
    this.#options = options
    this.#streams = streamsOfEntrance(options.warn, (connection, caller) => {
      this.#callers.set(connection, {...this.#callerAt(caller), protocol: 'HTTP/2'})
      this.accept(connection)
    })
  }

  start(head: VerbatimHead, connection: PublishedConnection): void {
    const asked = this.#asked.get(head) ?? readAsked(head.lines)
    this.#asked.set(head, asked)
    const {host, passes} = asked
    if (host === undefined || !/^[*/]/.test(head.target)) return connection.answer(badHost(head.lines))
    const serveDashboard = this.#options.dashboardNamed(host.name)
    if (serveDashboard !== undefined) return serveDashboard(connection.socket, connection.leave())
    const context = this.#options.appNamed(host.name)
    const caller = this.#callerAt(connection.socket)
    if (context !== undefined) {
      if (passes >= MAX_PASSES) return connection.answer(looped(context.callee, head.lines))
      return this.begin(context, head, connection, forwardedLines(asked, caller) + PASS_LINE)
    }
    const path = this.#options.socketOf(host.name)
    if (path === '') return connection.answer(noName(host, head.lines, this.#options.names))
    if (this.isPassedIn(connection.socket)) return connection.answer(misdirected(head.lines))
    this.#passOn(path, head, connection, caller)
  }

  /** Reports once per app which setting of its framework accepts the host name that it has refused. */
  refused(head: VerbatimHead, status: number, body: string): void {
    const {name = ''} = this.#asked.get(head)?.host ?? {}
    const app = this.#options.appNamed(name)?.callee ?? ''
    const setting = this.#explained.has(app) ? '' : hostSetting(status, head.path, body, name)
    if (setting === '') return
    this.#explained.add(app)
    this.#options.hostRefused(`"${app}" refuses the host ${name}: write ${setting}`)
  }

  /** Rewrites a redirect of an app to its own port into one to the called name, as `proxy_redirect` of nginx does. */
  moved(head: VerbatimHead, text: string): string {
    const app = this.#options.appNamed(this.#asked.get(head)?.host?.name ?? '')
    return text.replace(TO_NUMBER, (whole: string, before: string, port: string) =>
      app?.isOwnPort?.(Number(port)) === true ? `${before}/` : whole
    )
  }

  passBytes(socket: net.Socket, early: Buffer): void {
    if (isHttp2(early)) return this.#streams.accept(socket)?.read(early, early.length)
    if (early[0] === TLS_HANDSHAKE && this.#callerAt(socket).scheme === 'http') {
      // a flowing socket would drop the bytes before TLS reads them
      socket.pause().unshift(Buffer.from(early))
      return void (this.#tls ??= this.#newTls()).emit('connection', socket)
    }
    socket.end(replyText(notHttp(), false, 'Connection: close\r\n'), 'latin1')
    socket.on('error', () => socket.destroy()).resume()
  }

  /** Serves a connection that another run has passed on. `early`: bytes that the other run has read. */
  take(socket: net.Socket, caller: EntranceCaller, early: Buffer): void {
    this.#callers.set(socket, caller)
    this.adopt(socket, caller.ends, early)
  }

  /** Closes passed-on connections after their current calls: the run that relays them is ending or has ended. */
  leave(): void {
    this.leaveSoon(({socket}) => this.isPassedIn(socket))
  }

  override async close(signal?: AbortSignal): Promise<void> {
    this.#streams.close()
    await super.close(signal)
  }

  protected override endsOf(socket: net.Socket): Ends {
    return this.#callerAt(socket).ends
  }

  protected override protocolOf(socket: net.Socket): Protocol {
    return this.#callers.get(socket)?.protocol ?? 'HTTP/1.1'
  }

  #callerAt(socket: net.Socket): EntranceCaller {
    const passed = this.#callers.get(socket)
    if (passed !== undefined) return passed
    const ends = copiedEnds(socket)
    const from = {address: ends.remoteAddress, port: ends.localPort}
    const caller = {...from, ends, scheme: 'http', protocol: 'HTTP/1.1'} as const
    this.#callers.set(socket, caller)
    return caller
  }

  /** Creates the server that decrypts TLS. A handshake for an unknown name fails, so that strangers cannot make Pillion create certificates. */
  #newTls(): TlsServer {
    // loaded here, since an ES import would load TLS with each entrance
    const server = process.getBuiltinModule('node:tls').createServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      SNICallback: (name, answer) => {
        this.#options
          .contextOf(namedHost(name).name)
          .then(
            context => (context === undefined ? answer(new Error(`no app is called ${name}`)) : answer(null, context)),
            answer
          )
      }
    })
    server.on('secureConnection', socket => {
      // a client without SNI names no app
      if (!socket.servername) return void socket.destroy()
      this.#callers.set(socket, {...this.#callerAt(socket), scheme: 'https'})
      if (socket.alpnProtocol === 'h2') this.#streams.accept(socket)
      else this.accept(socket)
    })
    return server.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  /** Relays a connection with its current and later requests to the run that has the name. `path`: control socket of that run. */
  #passOn(path: string, head: VerbatimHead, connection: PublishedConnection, caller: EntranceCaller): void {
    const {socket} = connection
    const failed = (): void => {
      socket.end(replyText(runGone(head.lines), head.method === 'HEAD', 'Connection: close\r\n'), 'latin1')
    }
    this.passOn(socket, {path, protocol: PASSED_ON, caller, early: connection.leave(), failed})
  }
}
