import {authorityOf} from '../../model/address.ts'
import net from 'node:net'
import {codeOf} from '../../model/errors.ts'
import {handshakeText} from '../../model/tls-alert.ts'
import {FrameClient} from './frame-client.ts'
import {byItself} from './frame-stream.ts'

export interface FrameTarget {
  /** Addresses, tried in this order. */
  readonly hosts: readonly string[]
  readonly port: number
  /** Path of a unix domain socket, in place of addresses and port. */
  readonly socketPath?: string
  readonly isSecure: boolean
  /** The callee's certificate must be valid for its first address. */
  readonly isVerified?: boolean
  /** Hint in brackets after the error for an accepted but never used connection; '' or omitted: none. */
  readonly hint?: string
  readonly warn: (text: string) => void
}

/** Waits for a connection with room for a call. */
export interface Waiter {
  opened(connection: FrameClient): void
  /** Called if no connection can be made. `why`: the reason in Go's words. `isRefused`: nothing listens, or no longer. */
  failed(why: string, isRefused: boolean): void
}

/** Maximum time for the settings of a new connection, in ms (grpc-go: minConnectTimeout). */
const OPEN_TIMEOUT_MS = 20_000
/**
 * Number of connections in a row that a callee may accept and close without a call. A process that ends does so once; a server of another
 * protocol, or a proxy without a backend, does it forever.
 */
const MAX_CLOSED = 3
/** More than these are not opened to one callee: calls wait for room. */
const MAX_CONNECTIONS = 64

/** The size of the common read buffer; read bytes become text before the next read, so no read allocates. */
const READ_BYTES = 65_536
let scratch: Buffer | undefined

/** Codes that mean that nothing listens any more. */
const GONE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** Ends a connection on which a write has failed a turn later: the callee's last words are read until then. */
function readBeforeEnd(socket: net.Socket): void {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = (error?: NodeJS.ErrnoException) => {
    if (error?.syscall !== 'write') return destroy(error)
    setImmediate(() => setImmediate(destroy, error))
    return socket
  }
}

/** The connections to one callee that carry many calls each, shared by all callers. */
export class FrameClients {
  readonly #target: FrameTarget
  readonly #open = new Set<FrameClient>()
  readonly #waiting = new Set<Waiter>()
  #connecting: net.Socket | undefined
  /** Connections in a row that were accepted and closed without a call. */
  #closed = 0
  #isRetired = false

  constructor(target: FrameTarget) {
    this.#target = target
  }

  /** Gives the waiter a connection, at once or later. */
  take(waiter: Waiter): void {
    const free = this.#free()
    if (free !== undefined) return waiter.opened(free)
    this.#waiting.add(waiter)
    this.#connectMore()
  }

  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter)
  }

  /** Lets connections end after their calls. Later calls need new connections. */
  retire(): void {
    this.#isRetired = true
    for (const each of this.#open) each.leave()
    this.#connecting?.destroy()
  }

  /** Ends all connections and their calls. */
  cut(): void {
    this.retire()
    for (const each of this.#open) each.destroy('the app is being stopped')
  }

  #free(): FrameClient | undefined {
    for (const each of this.#open) if (!each.isFull && !each.isLeaving) return each
    return undefined
  }

  /** Opens needed connections, one at a time. Leaving ones do not count, since a callee may have many. */
  #connectMore(): void {
    const taking = [...this.#open].filter(({isLeaving}) => !isLeaving)
    const mayHelp = taking.length < MAX_CONNECTIONS && taking.every(({streams}) => streams.size > 0)
    if (this.#connecting === undefined && mayHelp) this.#connect(0)
  }

  /** `before`: the error of the previous address. */
  #connect(index: number, before?: Error): void {
    const {hosts, port, socketPath, isSecure, isVerified = false, warn} = this.#target
    const host = hosts[index] ?? '127.0.0.1'
    const onread = {
      buffer: (scratch ??= Buffer.allocUnsafeSlow(READ_BYTES)),
      callback: (count: number, bytes: Uint8Array) => {
        client?.read(bytes as Buffer, count)
        return true
      }
    }
    const at = {host, port, onread}
    const socket = isSecure
      ? tls().connect({
          ...at,
          ...(isVerified && net.isIP(host) === 0 && {servername: host}),
          minVersion: 'TLSv1.2',
          rejectUnauthorized: isVerified,
          ALPNProtocols: ['h2']
        })
      : net.connect(socketPath === undefined ? at : {path: socketPath, onread})
    readBeforeEnd(socket)
    this.#connecting = socket
    socket.setNoDelay(true)
    let error: Error | undefined
    let isAccepted = false
    let client: FrameClient | undefined
    const timer = setTimeout(() => socket.destroy(new Error('context deadline exceeded')), OPEN_TIMEOUT_MS)
    socket
      .once('connect', () => (isAccepted = true))
      .once(isSecure ? 'secureConnect' : 'connect', () => {
        client = new FrameClient(socket, {
          warn,
          ready: opened => {
            clearTimeout(timer)
            this.#connecting = undefined
            this.#open.add(opened)
            this.#serve()
            if (!this.#isRetired) return
            // another connection would accept no call either
            if (opened.streams.size === 0) this.#fail('the app takes no calls', true)
            opened.leave()
          },
          freed: () => this.#serve(),
          closed: closed => this.#open.delete(closed)
        })
      })
      // a refusal decides: without IPv6, ::1 has another error
      .on('error', (each: Error) => (error = isAccepted || codeOf(before) !== 'ECONNREFUSED' ? each : before))
      .on('close', () => {
        clearTimeout(timer)
        if (client?.wasUsed === true) return this.#serve()
        if (error !== undefined && !isAccepted && index + 1 < hosts.length) return this.#connect(index + 1, error)
        if (this.#connecting === socket) this.#connecting = undefined
        const isEnd = error === undefined && (client === undefined || client.failure === 'EOF')
        const isGone = isEnd || client?.hasSettings === true || GONE.has(codeOf(error))
        if (isAccepted && isGone && !this.#isRetired && ++this.#closed < MAX_CLOSED) return this.#serve()
        const why = isAccepted ? unusedText(this.#target, client, error) : dialText(this.#target, error)
        this.#fail(why, (isGone && !isAccepted) || this.#isRetired)
      })
  }

  /** Gives waiting calls the free room. */
  #serve(): void {
    if (this.#waiting.size === 0) return
    for (const waiter of this.#waiting) {
      const free = this.#free()
      if (free === undefined) return this.#connectMore()
      this.#waiting.delete(waiter)
      this.#closed = 0
      byItself(() => waiter.opened(free), this.#target.warn)
    }
  }

  #fail(why: string, isRefused: boolean): void {
    this.#closed = 0
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of waiting) byItself(() => waiter.failed(why, isRefused), this.#target.warn)
  }
}

/** The error of grpc-go for a connection that was not accepted (internal/transport/http2_client.go). */
const dialText = ({hosts: [host = ''], port}: FrameTarget, error: Error | undefined): string => {
  const why = codeOf(error) === 'ECONNREFUSED' ? 'connect: connection refused' : (error?.message ?? 'EOF')
  return `connection error: desc = "transport: Error while dialing: dial tcp ${authorityOf(host, port)}: ${why}"`
}

/** The error of grpc-go for a connection that was accepted, but on which HTTP/2 did not begin. */
const unusedText = ({hint = ''}: FrameTarget, client: FrameClient | undefined, error: Error | undefined): string => {
  const why =
    client === undefined
      ? `transport: authentication handshake failed: ${error === undefined ? 'EOF' : handshakeText(error)}`
      : prefaceOf(client)
  return `connection error: desc = "${why}"${hint === '' ? '' : ` (${hint})`}`
}

const prefaceOf = ({failure}: FrameClient): string =>
  failure.startsWith('error reading') ? failure : `error reading server preface: ${failure}`
