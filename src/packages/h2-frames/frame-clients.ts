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
  /** Path of a unix domain socket, which replaces addresses and port; omitted: TCP. */
  readonly socketPath?: string
  readonly isSecure: boolean
  /** Whether the callee's certificate must be valid for the first address. Omitted: any certificate is accepted. */
  readonly isVerified?: boolean
  /** Hint in the error about a callee that accepts connections but does not speak HTTP/2; '' or omitted: none. */
  readonly hint?: string
  readonly warn: (text: string) => void
}

/** A call that waits for a connection with room. */
export interface Waiter {
  opened(connection: FrameClient): void
  /** Called if no connection can be opened. `why`: the reason in Go's words. `isRefused`: nothing listens there, or no longer. */
  failed(why: string, isRefused: boolean): void
}

/** Maximum time for the settings of a new connection, in ms (grpc-go: minConnectTimeout). */
const OPEN_TIMEOUT_MS = 20_000
/**
 * Number of connections in a row that a callee may accept and close without a call before waiting calls fail. A process that exits does so
 * once; a server of another protocol, or a proxy without a backend, does so each time.
 */
const MAX_CLOSED = 3
/** Maximum number of connections to one callee. Further calls wait for room. */
const MAX_CONNECTIONS = 64

/** Size of the read buffer of all connections. Its bytes become text before the next read, so that a read allocates no buffer. */
const READ_BYTES = 65_536
let scratch: Buffer | undefined

/** Error codes of a callee that does not listen any more. */
const GONE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** Delays the end of a socket after a failed write by a turn of the event loop, so that the callee's last bytes are read before. */
function readBeforeEnd(socket: net.Socket): void {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = (error?: NodeJS.ErrnoException) => {
    if (error?.syscall !== 'write') return destroy(error)
    setImmediate(() => setImmediate(destroy, error))
    return socket
  }
}

/** The HTTP/2 connections to one callee, which all callers share. Opens another when all are in use and calls wait. */
export class FrameClients {
  readonly #target: FrameTarget
  readonly #open = new Set<FrameClient>()
  readonly #waiting = new Set<Waiter>()
  #connecting: net.Socket | undefined
  /** Number of connections in a row that the callee has accepted and closed without a call. */
  #closed = 0
  #isRetired = false

  constructor(target: FrameTarget) {
    this.#target = target
  }

  /** Gives a connection to the waiter, at once or later. */
  take(waiter: Waiter): void {
    const free = this.#free()
    if (free !== undefined) return waiter.opened(free)
    this.#waiting.add(waiter)
    this.#connectMore()
  }

  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter)
  }

  /** Closes connections after their calls, since the callee is being replaced. */
  retire(): void {
    this.#isRetired = true
    for (const each of this.#open) each.leave()
    this.#connecting?.destroy()
  }

  /** Closes all connections, which cancels their calls. */
  cut(): void {
    this.retire()
    for (const each of this.#open) each.destroy('the app is being stopped')
  }

  #free(): FrameClient | undefined {
    for (const each of this.#open) if (!each.isFull && !each.isLeaving) return each
    return undefined
  }

  /** Opens another connection, one at a time, if all have calls. Connections that end do not count. */
  #connectMore(): void {
    const taking = [...this.#open].filter(({isLeaving}) => !isLeaving)
    const mayHelp = taking.length < MAX_CONNECTIONS && taking.every(({streams}) => streams.size > 0)
    if (this.#connecting === undefined && mayHelp) this.#connect(0)
  }

  /** Connects to one address, then tries the next one. `before`: error of the previous address; undefined: the first address. */
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
            // the callee is retired: another connection would not accept calls either
            if (opened.streams.size === 0) this.#fail('the app takes no calls', true)
            opened.leave()
          },
          freed: () => this.#serve(),
          closed: closed => this.#open.delete(closed)
        })
      })
      // keeps ECONNREFUSED of another address: on a machine without IPv6, ::1 fails with a different code
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

  /** Gives connections with room to waiting calls. */
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

/** Returns grpc-go's error for a connection that was not accepted (internal/transport/http2_client.go). */
const dialText = ({hosts: [host = ''], port}: FrameTarget, error: Error | undefined): string => {
  const why = codeOf(error) === 'ECONNREFUSED' ? 'connect: connection refused' : (error?.message ?? 'EOF')
  return `connection error: desc = "transport: Error while dialing: dial tcp ${authorityOf(host, port)}: ${why}"`
}

/** Returns grpc-go's error for a connection that was accepted, but on which HTTP/2 did not begin. */
const unusedText = ({hint = ''}: FrameTarget, client: FrameClient | undefined, error: Error | undefined): string => {
  const why =
    client === undefined
      ? `transport: authentication handshake failed: ${error === undefined ? 'EOF' : handshakeText(error)}`
      : prefaceOf(client)
  return `connection error: desc = "${why}"${hint === '' ? '' : ` (${hint})`}`
}

const prefaceOf = ({failure}: FrameClient): string =>
  failure.startsWith('error reading') ? failure : `error reading server preface: ${failure}`
