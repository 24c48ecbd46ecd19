import net from 'node:net'
import type {Ends} from '../../platform/proc-net.ts'
import type {Call, SentRequest} from '../../model/call.ts'
import {codeOf, bugText} from '../../model/errors.ts'
import type {Admission, Admitted, Denied, Held} from '../gateway/admission.ts'
import {Passage} from '../gateway/passage.ts'
import type {Passenger} from '../gateway/passenger.ts'
import type {CallJournal} from '../net/call-journal.ts'
import {contain} from '../net/error-boundary.ts'
import {abortConnection} from '../net/http1/abort-connection.ts'
import {CallerSocket} from '../net/http1/caller-socket.ts'
import {owned} from '../../platform/shared-reads.ts'
import {readBeforeFailure} from '../../platform/intercept-connections.ts'
import {writeCopy} from '../net/write-copy.ts'
import type {PublishedContext} from './published-port-call.ts'
import {TunnelStream} from './tunnel-stream.ts'

/** HTTP status that the call's record shows once the app is connected: 101 Switching Protocols. */
const SWITCHED = 101

/** Buffer that the reads from all apps share. */
const scratch = Buffer.allocUnsafeSlow(65_536)

/** A caller's connection that does not speak HTTP. Relays its bytes to and from a connection to the app, as one call. Created by `PublishedPort`. */
export class BytesCall implements Passenger {
  readonly call: Call
  readonly #context: PublishedContext
  readonly #journal: CallJournal
  readonly #passage: Passage
  readonly #caller: CallerSocket
  readonly #stream: TunnelStream
  readonly #early: Buffer
  readonly #readAsHttp: (() => void) | undefined
  #upstream: net.Socket | undefined
  #hasEnded = false

  /**
   * `socket`: the caller's connection, which nothing else reads. `early`: bytes already read from it. `readAsHttp`: set for a caller that has
   * sent nothing; reads its connection as HTTP again when it sends bytes before the app does. `ends`: addresses of the caller's connection.
   */
  constructor(
    context: PublishedContext,
    caller: string,
    socket: net.Socket,
    early: Buffer,
    readAsHttp?: () => void,
    ends: Ends = socket
  ) {
    const {callee} = context
    const [method, path] = ['TCP', `:${ends.localPort ?? 0}`]
    const request: SentRequest = {protocol: 'bytes', method, path, lines: ''}
    const stream = (this.#stream = new TunnelStream(() => this.#giveBack() || this.#fail('the app was replaced')))
    this.call = {caller, callee, method, path, number: 0, isPublished: true, isTunnel: true, sent: request, stream}
    this.#context = context
    this.#passage = new Passage(this, context, {call: this.call, request}, early.length)
    this.#journal = this.#passage.journal
    this.#caller = new CallerSocket(readAsHttp ? socket : socket.pause(), {
      read: bytes => this.#sendToApp(bytes),
      end: () => this.#upstream?.end(),
      destroy: () => this.#end(''),
      drain: () => this.#upstream?.resume()
    })
    this.#early = early
    this.#readAsHttp = readAsHttp
  }

  /** Asks for admission, then connects. */
  start(): void {
    this.#journal.begun()
    if (this.#caller.socket.destroyed) this.#end('')
    else this.#passage.start()
  }

  ask(isRefused: boolean): Admission | Held {
    return this.#context.admit(this.call, isRefused)
  }

  protocolAt(): 'bytes' {
    return 'bytes'
  }

  send({pool}: Admitted): void {
    this.#journal.attempts++
    this.#connect(pool.plain.hosts, pool.port, 0)
  }

  /** Connects to one of the app's addresses, then tries the next one. `previousCode`: error code of the previous address; '': first address. */
  #connect(hosts: readonly string[], port: number, at: number, previousCode = ''): void {
    const read = (count: number): boolean => upstream.emit('data', scratch.subarray(0, count))
    const onread = {buffer: scratch, callback: read}
    const host = hosts[at] ?? '127.0.0.1'
    const upstream: net.Socket = net.connect({host, port, noDelay: true, allowHalfOpen: true, onread})
    this.#upstream = upstream
    readBeforeFailure(upstream, scratch, read)
    contain(upstream, error => this.crash(error))
    let why = ''
    upstream
      .on('connect', () => this.#connected(upstream))
      .on('data', (bytes: Buffer) => void (this.#sendToCaller(bytes) || upstream.pause()))
      .on('error', error => {
        // keeps ECONNREFUSED of another address: on a machine without IPv6, ::1 fails with a different code
        why = previousCode === 'ECONNREFUSED' ? previousCode : codeOf(error)
      })
      .on('close', () => {
        if (this.#upstream !== upstream || this.#hasEnded) return
        if (this.#journal.status > 0) return this.#end(why)
        if (at + 1 < hosts.length) this.#connect(hosts, port, at + 1, why)
        else if (why !== 'ECONNREFUSED' || !this.#passage.refused()) this.#fail(why)
      })
  }

  #connected(upstream: net.Socket): void {
    const {socket} = this.#caller
    Object.assign(this.#journal, {connectedAt: performance.now(), status: SWITCHED})
    this.#stream.open()
    if (this.#early.length > 0) this.#sendToApp(this.#early)
    upstream.on('end', () => socket.end()).on('drain', () => socket.resume())
    if (socket.readableEnded) upstream.end()
    else socket.resume()
    this.#passage.broken?.opened?.()
  }

  /** Sends the caller's bytes to the app. The first bytes of a silent caller may be HTTP, so `readAsHttp` gets them. */
  #sendToApp(bytes: Buffer): void {
    if (this.#hasEnded) return
    if (this.#giveBack()) return void this.#caller.socket.emit('data', bytes)
    this.#journal.requestBytes += bytes.length
    if (this.#upstream?.write(owned(bytes)) === false) this.#caller.socket.pause()
  }

  /** Ends this call and gives the connection to `readAsHttp`. Returns false without `readAsHttp`, or if the app has sent bytes. */
  #giveBack(): boolean {
    if (this.#readAsHttp === undefined || this.#hasEnded || this.#journal.firstByteAt > 0) return false
    this.#hasEnded = true
    this.#caller.leave()
    this.#upstream?.destroy()
    this.#passage.over()
    this.#readAsHttp()
    return true
  }

  /** Sends the app's bytes to the caller. Returns false if reading has to pause until the caller's socket emits `drain`. */
  #sendToCaller(bytes: Buffer): boolean {
    const journal = this.#journal
    const {broken} = this.#passage
    if (journal.firstByteAt === 0) journal.firstByteAt = performance.now()
    const interrupt = (): void => void setImmediate(() => this.#fail('cut by a fault'))
    const passed = broken !== undefined && broken.left >= 0 ? broken.take(bytes, interrupt) : bytes
    journal.responseBytes += passed.length
    return writeCopy(this.#caller.socket, passed)
  }

  denied({error, down}: Denied): void {
    this.#fail(down?.reason ?? error)
  }

  endByFault(): void {
    this.#fail('cut by a fault')
  }

  crash(error: unknown): void {
    this.#context.warn(bugText(error))
    this.#fail('internal error')
  }

  drop(): void {
    this.#upstream?.destroy()
  }

  #fail(why: string): void {
    this.#journal.failure = why
    if (!this.#caller.socket.destroyed) abortConnection(this.#caller.socket)
    this.#end(why)
  }

  /** Ends the call and both connections. `why`: the failure; '': the call ended normally. */
  #end(why: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#passage.isBroken = why !== ''
    if (why === '') this.#caller.socket.destroySoon()
    else abortConnection(this.#caller.socket)
    this.#upstream?.destroySoon()
    this.#passage.over()
  }
}
