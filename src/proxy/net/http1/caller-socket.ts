import type net from 'node:net'
import {writeCopy} from '../write-copy.ts'
import {corkTurn, LateText, SMALL} from './late-text.ts'
import {owned, readWith, shareReads} from '../../../platform/shared-reads.ts'

/** Maximum size of bytes received ahead of a request's turn; beyond it, reading stops. */
export const MAX_EARLY = 8192

/** The events of a caller's connection. */
export interface CallerListener {
  read(bytes: Buffer): void
  end(): void
  /** Called when the connection is closed, or has failed. */
  destroy(): void
  drain(): void
}

/** A caller's connection read without node:http: its listeners, early bytes, and writing of responses. */
export class CallerSocket {
  readonly socket: net.Socket
  readonly late: LateText
  /** Received bytes that belong to no call yet. */
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

  /** Whether the early bytes exceed the read-ahead. */
  get isFull(): boolean {
    return (this.early?.length ?? 0) > MAX_EARLY
  }

  addEarly(bytes: Buffer): void {
    this.early = this.early === undefined ? bytes : Buffer.concat([this.early, bytes])
  }

  /** Keeps early bytes beyond this read. */
  keepEarly(): void {
    if (this.early !== undefined) this.early = owned(this.early)
  }

  /** Removes and returns the first early bytes. */
  takeEarly(size: number): Buffer | undefined {
    const {early} = this
    if (size === 0 || early === undefined) return undefined
    this.early = size === early.length ? undefined : early.subarray(size)
    return size === early.length ? early : early.subarray(0, size)
  }

  /** Starts requests one by one. `startNext` returns whether another may follow at once. */
  startAll(startNext: () => boolean): void {
    if (this.#isStarting) return
    this.#isStarting = true
    while (startNext());
    this.#isStarting = false
  }

  resume(): void {
    if (this.socket.isPaused()) this.socket.resume()
  }

  /** Writes a head, in one packet with later text of this turn. */
  writeHead(text: string): void {
    this.late.write()
    corkTurn(this.socket)
    this.socket.write(text, 'latin1')
  }

  /** Writes a piece of a body; false: wait for `drain`. */
  writePiece(bytes: Buffer): boolean {
    const {socket} = this
    return bytes.length <= SMALL ? socket.write(bytes.toString('latin1'), 'latin1') : writeCopy(socket, bytes)
  }

  /** Leaves the connection to another reader, with its early bytes. */
  leave(): Buffer | undefined {
    const {socket, early} = this
    this.early = undefined
    this.late.write()
    this.#stopReading()
    for (const [event, listener] of Object.entries(this.#listeners)) socket.removeListener(event, listener)
    return early && owned(early)
  }
}
