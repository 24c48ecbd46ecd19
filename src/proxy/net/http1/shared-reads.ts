import net from 'node:net'
import type {Duplex} from 'node:stream'
import {inherit} from '../claimed-server.ts'
import {HANDLE, interceptConnections} from '../intercept-connections.ts'
import {readInOwnTurn} from '../own-turn.ts'

/** All connections are read into this buffer, one after the other. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

/** The fields of a socket for the server that counts it (Node 26: lib/net.js, `onconnection`). */
const COUNTED_BY = ['_server', 'server'] as const

/** Replaces read bytes, piece by piece. */
type Change = (bytes: Buffer) => Iterable<Buffer>

/** A connection that is read into a buffer that all share, while it has a reader; without one it is like any other. */
class SharedSocket extends net.Socket {
  isRead = false
  /** Changes bytes that are read without a reader. */
  change: Change | undefined

  constructor(handle: unknown, allowHalfOpen: boolean) {
    const read = (size: number): boolean => {
      const bytes = buffer.subarray(0, size)
      return this.isRead ? this.emit('data', bytes) : this.pass(bytes)
    }
    super({handle, allowHalfOpen, readable: true, writable: true, onread: {buffer, callback: read}} as object)
  }

  /** Passes on read bytes. Returns false to pause reading. */
  pass(bytes: Buffer): boolean {
    const {change} = this
    let kept = 0
    let isTaken = true
    for (const piece of change?.(bytes) ?? [Buffer.from(bytes)]) {
      if (this.change !== change) break
      kept += piece.length
      isTaken = this.push(piece)
    }
    if (isTaken && isMuchWork(bytes.length, kept)) letOthersRead(this)
    return isTaken
  }
}

/** Whether a read was full of tiny chunks, each as slow as many bytes of a large one. */
export const isMuchWork = (read: number, kept: number): boolean => read > 16_384 && 2 * kept < read

/** Reader of a connection (Node 26: lib/net.js). `reading` is Node's belief. */
interface Handle {
  readonly reading: boolean
  readStart(): void
  readStop(): void
}

/**
 * Reads no more until the result is called; returns undefined if the connection is not being read. Node still believes in a read:
 * otherwise the stream would ask for more as soon as it has passed on its bytes. The caller has to resume the connection.
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

/** Reads on in a turn of its own; libuv would read up to 2 MB of one connection before the next one has its turn. */
export function letOthersRead(socket: Duplex): void {
  const readOn = holdReads(socket)
  if (readOn !== undefined) readInOwnTurn(readOn)
}

/**
 * Passes the reads of a connection to a reader, or its `data` where its server shares no reads. The next read overwrites them: `owned` copies bytes to keep. Returns a function that ends it.
 */
export function readWith(socket: Duplex, reader: (bytes: Buffer) => void): () => void {
  socket.on('data', reader)
  if (socket instanceof SharedSocket) socket.isRead = true
  return () => {
    if (socket instanceof SharedSocket) socket.isRead = false
    socket.removeListener('data', reader)
  }
}

/** Changes these bytes, and all that a connection without a reader reads from now on, into new Buffers. The connection must have a handler for `data` already. */
export function changeReads(socket: net.Socket, change: Change, bytes: Buffer): void {
  if (!(socket instanceof SharedSocket)) return socket.unshift(Buffer.concat([...change(bytes)]))
  socket.change = change
  // node:http reads a connection past its stream until there is another listener (lib/_http_server.js, `unconsume`)
  socket.on('data', ignore).off('data', ignore)
  socket.pass(bytes)
}

/** Drops all further and waiting reads of a connection without a reader. */
export function dropReads(socket: Duplex): void {
  if (socket instanceof SharedSocket) socket.change = () => []
}

const ignore = (): void => undefined

/** The next read overwrites them. */
export const isShared = (bytes: Buffer): boolean => bytes.buffer === buffer.buffer

/** Returns the bytes, or a copy if the next read overwrites them. */
export const owned = (bytes: Buffer): Buffer => (isShared(bytes) ? Buffer.from(bytes) : bytes)

/**
 * Listeners of this server get connections that `readWith` reads into one buffer. For each read of a connection Node allocates
 * 64 KiB, and shrinks them: a tenth of the work of a small call. Node offers reads into one buffer only for opened connections, not for accepted ones.
 */
export const shareReads = (server: net.Server): void => interceptConnections(server, shared)

function shared(accepted: net.Socket): net.Socket {
  const handle: unknown = Reflect.get(accepted, HANDLE)
  if (handle === undefined || handle === null) return accepted
  const socket = new SharedSocket(handle, accepted.allowHalfOpen)
  for (const name of COUNTED_BY) Reflect.set(socket, name, Reflect.get(accepted, name))
  Reflect.set(accepted, HANDLE, null)
  inherit(accepted, socket)
  return socket
}
