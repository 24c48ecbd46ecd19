import type net from 'node:net'
import {writeCopy} from '../write-copy.ts'
import {corkTurn, LateText, SMALL} from './late-text.ts'
import {owned, readWith, shareReads} from '../../../platform/shared-reads.ts'

/** Maximum size of bytes received before their request starts. Reading pauses beyond it. */
export const MAX_EARLY = 8192

/** The events of a caller's connection. */
export interface CallerListener {
  read(bytes: Buffer): void
  end(): void
  /** Called when the connection has closed or failed. */
  destroy(): void
  drain(): void
}

/** A caller's connection that is read without node:http: its listeners, its early bytes, and the writing of responses. */
export class CallerSocket {
  readonly socket: net.Socket
  readonly late: LateText
  /** Received bytes that no call has taken yet; undefined: none. */
  early: Buffer | undefined
  readonly #listeners: Readonly<Record<string, () => void>>
  readonly #stopReading: () => void
  #isStarting = false

  constructor(socket: net.Socket, listener: CallerListener) {
    this.socket = socket
    this.late = new LateText(socket)
    const destroy = (): void => listener.destroy()
    this.#listeners = {end: () => listener.end(), close: destroy, error: destroy, drain: () => listener.drain()}
    for (const [event, each] of Object.entries(this.#listeners)) socket.on(event, each)
    shareReads(socket)
    this.#stopReading = readWith(socket, bytes => listener.read(bytes))
  }

  /** Whether the early bytes exceed `MAX_EARLY`. */
  get isFull(): boolean {
    return (this.early?.length ?? 0) > MAX_EARLY
  }

  addEarly(bytes: Buffer): void {
    this.early = this.early === undefined ? bytes : Buffer.concat([this.early, bytes])
  }

  /** Copies early bytes, which the next read would overwrite. Called at the end of each read. */
  keepEarly(): void {
    if (this.early !== undefined) this.early = owned(this.early)
  }

  /** Removes and returns the first early bytes; undefined: none. */
  takeEarly(size: number): Buffer | undefined {
    const {early} = this
    if (size === 0 || early === undefined) return undefined
    this.early = size === early.length ? undefined : early.subarray(size)
    return size === early.length ? early : early.subarray(0, size)
  }

  /** Starts received requests one by one. `startNext`: returns whether another request may start at once. */
  startAll(startNext: () => boolean): void {
    if (this.#isStarting) return
    this.#isStarting = true
    while (startNext());
    this.#isStarting = false
  }

  resume(): void {
    if (this.socket.isPaused()) this.socket.resume()
  }

  /** Writes a head, in one packet with later writes of this turn of the event loop. */
  writeHead(text: string): void {
    this.late.write()
    corkTurn(this.socket)
    this.socket.write(text, 'latin1')
  }

  /** Writes a piece of a body. Returns false to wait for `drain`. */
  writePiece(bytes: Buffer): boolean {
    const {socket} = this
    return bytes.length <= SMALL ? socket.write(bytes.toString('latin1'), 'latin1') : writeCopy(socket, bytes)
  }

  /** Detaches from the connection, for another reader. Returns the early bytes. */
  leave(): Buffer | undefined {
    const {socket, early} = this
    this.early = undefined
    this.late.write()
    this.#stopReading()
    for (const [event, listener] of Object.entries(this.#listeners)) socket.removeListener(event, listener)
    return early && owned(early)
  }
}
