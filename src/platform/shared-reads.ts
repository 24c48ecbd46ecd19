import net from 'node:net'
import type {Duplex} from 'node:stream'
import {HANDLE} from './intercept-connections.ts'
import {readInOwnTurn} from './own-turn.ts'

/** All connections are read into this buffer, one after the other. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

/** Returns the pieces that replace the bytes of a read. */
type Change = (bytes: Buffer) => Iterable<Buffer>

/** The reads of a connection into the buffer that all share. Without a reader they are copied into its stream. */
class SharedReads {
  isRead = false
  /** Changes bytes that are read without a reader. */
  change: Change | undefined
  readonly #socket: net.Socket

  constructor(socket: net.Socket) {
    this.#socket = socket
  }

  /** Passes on the bytes that the buffer has now. Returns false to pause reading. */
  read(size: number): boolean {
    const bytes = buffer.subarray(0, size)
    return this.isRead ? this.#socket.emit('data', bytes) : this.pass(bytes)
  }

  /** Passes on read bytes without a reader. */
  pass(bytes: Buffer): boolean {
    const {change} = this
    let kept = 0
    let isTaken = true
    for (const piece of change?.(bytes) ?? [Buffer.from(bytes)]) {
      if (this.change !== change) break
      kept += piece.length
      isTaken = this.#socket.push(piece)
    }
    if (isTaken && isMuchWork(bytes.length, kept)) letOthersRead(this.#socket)
    return isTaken
  }
}

const shared = new WeakMap<Duplex, SharedReads>()

/** Whether a read was full of tiny chunks, each as slow as many bytes of a large chunk. */
export const isMuchWork = (read: number, kept: number): boolean => read > 16_384 && 2 * kept < read

/** Reader of a connection (Node 26: lib/net.js). `reading`: whether Node assumes that the connection is being read. */
interface Handle {
  readonly reading: boolean
  useUserBuffer(into: Buffer): void
  readStart(): void
  readStop(): void
}

/**
 * Stops reading until the returned function is called; undefined if the connection is not being read. Node still assumes a read: otherwise the
 * stream would ask for more as soon as it has passed on its bytes. The caller must resume the connection.
 */
export function holdReads(socket: Duplex): (() => boolean) | undefined {
  const handle = Reflect.get(socket, HANDLE) as Handle | null | undefined
  if (handle?.reading !== true) return undefined
  handle.readStop()
  return () => {
    if (socket.destroyed || !handle.reading) return false
    handle.readStart()
    return true
  }
}

/** Continues reading in a later turn: libuv would read up to 2 MB of one connection before the next. */
export function letOthersRead(socket: Duplex): void {
  const readOn = holdReads(socket)
  if (readOn !== undefined) readInOwnTurn(readOn)
}

/**
 * Passes the reads of a connection to a reader, or its `data` if it does not share its reads. The next read overwrites the bytes: `owned` copies bytes to keep. Returns a function that removes the reader.
 */
export function readWith(socket: Duplex, reader: (bytes: Buffer) => void): () => void {
  socket.on('data', reader)
  const reads = shared.get(socket)
  if (reads !== undefined) reads.isRead = true
  return () => {
    if (reads !== undefined) reads.isRead = false
    socket.removeListener('data', reader)
  }
}

/** Changes these bytes, and all that a connection without a reader reads from now on, into new Buffers. The connection must have a handler for `data` already. */
export function changeReads(socket: net.Socket, change: Change, bytes: Buffer): void {
  const reads = shared.get(socket)
  if (reads === undefined) return socket.unshift(Buffer.concat([...change(bytes)]))
  reads.change = change
  // node:http reads past a connection's stream until it has another listener (lib/_http_server.js, `unconsume`)
  socket.on('data', ignore).off('data', ignore)
  reads.pass(bytes)
}

/** Drops all further and waiting reads of a connection without a reader. */
export function dropReads(socket: Duplex): void {
  const reads = shared.get(socket)
  if (reads !== undefined) reads.change = () => []
}

const ignore = (): void => undefined

/** Whether bytes are in the shared buffer, so that the next read overwrites them. */
export const isShared = (bytes: Buffer): boolean => bytes.buffer === buffer.buffer

/** Returns the bytes, or a copy if the next read overwrites them. */
export const owned = (bytes: Buffer): Buffer => (isShared(bytes) ? Buffer.from(bytes) : bytes)

/** Fields of a socket for its read buffer and for the receiver of the bytes (Node 26: lib/net.js, `onread`). */
const [BUFFER = '', CALLBACK = ''] = ['kBuffer', 'kBufferCb'].map(name =>
  Object.getOwnPropertySymbols(new net.Socket()).find(({description}) => description === name)
)

/**
 * Reads a connection into the one shared buffer from now on. Node would allocate memory for each read: a tenth of a small call's work,
 * with TLS a third. Node offers this only for connections that it opens.
 */
export function shareReads(socket: net.Socket): void {
  const handle = Reflect.get(socket, HANDLE) as Handle | null | undefined
  if (!handle || shared.has(socket)) return
  const reads = new SharedReads(socket)
  shared.set(socket, reads)
  Reflect.set(socket, BUFFER, buffer)
  Reflect.set(socket, CALLBACK, (size: number) => reads.read(size))
  handle.useUserBuffer(buffer)
}
