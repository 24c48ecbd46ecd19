import type {Socket} from 'node:net'
import {closeLingering} from '../../platform/lingering-close.ts'
import type {RedisEngine} from './engine/engine.ts'
import {Blocked, RedisError, type Result} from './engine/result.ts'
import type {Session} from './engine/session.ts'
import {ProtocolError, RequestParser} from './protocol/parser.ts'
import {encodeResult} from './protocol/writer.ts'

/** Maximum output in one turn of the event loop: then the rest of a pipeline waits until the client has read. */
const MAX_TURN_BYTES = 1024 * 1024
/** Maximum time for the requests of one client in one turn of the event loop, in ms. */
const MAX_TURN_MS = 10
/** Maximum bytes of requests that a client may send ahead while its command waits, or while it does not read. */
const MAX_AHEAD_BYTES = 1024 * 1024
/** Unread bytes at which a subscriber is cut off, as by Redis (`client-output-buffer-limit pubsub`), and a pipeline waits. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024
const CLOSE_TIMEOUT_MS = 1000
/** The first words of HTTP: a page in a browser must not send commands (Redis does the same). */
const HTTP_WORDS = new Set(['post', 'host:'])

/** A client of the server: reads requests, runs them one after another, writes the answers once per turn. */
export class ServerConnection {
  readonly #socket: Socket
  readonly #engine: RedisEngine
  readonly #session: Session
  readonly #parser = new RequestParser()
  #output = ''
  /** Whether a command waits. */
  #isBlocked = false
  /** Whether the client does not read its answers. */
  #isUnread = false
  /** Whether it reads nothing now, so that other connections have their turn. */
  #isResting = false
  /** Whether no further request is read: the client has ended its side, or the connection closes. */
  #isLeaving = false
  #isGone = false
  #isScheduled = false
  #isRunning = false

  constructor(socket: Socket, engine: RedisEngine) {
    this.#socket = socket
    this.#engine = engine
    this.#session = engine.open(push => this.#append(push))
    this.#session.onKill = () => {
      engine.end(this.#session)
      this.#session.isEnding = true
      if (!this.#isRunning) socket.destroy() // a client that kills itself is answered first
    }
    const {remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0} = socket
    this.#session.address = `${remoteAddress}:${remotePort}`
    this.#session.localAddress = `${localAddress}:${localPort}`
    socket
      .on('data', (chunk: Buffer) => {
        if (this.#session.isEnding) return
        this.#parser.feed(chunk)
        if (!this.#isHeld) this.#run()
        else if (this.#parser.buffered > MAX_AHEAD_BYTES) socket.pause()
      })
      .on('drain', () => {
        this.#isUnread = false
        this.#release()
      })
      .on('error', () => {}) // 'close' follows
      .on('end', () => {
        this.#isLeaving = true
        this.#release()
      })
      .on('close', () => {
        this.#isLeaving = true
        this.#isGone = true
        this.#isUnread = false
        this.#release()
      })
  }

  /** Writes the rest, and closes. A client that does not read is cut off. */
  close(): void {
    this.#flush()
    closeLingering(this.#socket)
    setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref()
  }

  /** Whether requests wait. A program may send a whole pipeline before it reads, up to a limit. */
  get #isHeld(): boolean {
    return this.#isBlocked || this.#isResting || (this.#isUnread && this.#socket.writableLength > MAX_UNREAD_BYTES)
  }

  #run(): void {
    this.#isRunning = true
    const end = performance.now() + MAX_TURN_MS
    try {
      while (!this.#isHeld && !this.#session.isEnding) {
        const args = this.#parser.next()
        if (args === undefined) break
        this.#execute(args)
        if (this.#output.length > MAX_TURN_BYTES) this.#flush()
        if (performance.now() > end) this.#rest()
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#output += encodeResult(new RedisError(`ERR Protocol error: ${error.message}`), 2)
      this.#session.isEnding = true
    } finally {
      this.#isRunning = false
    }
    this.#flush()
    if (!this.#session.isEnding) return
    this.#isLeaving = true
    this.#release()
  }

  #rest(): void {
    this.#isResting = true
    setImmediate(() => {
      this.#isResting = false
      this.#release()
    })
  }

  #execute(args: readonly string[]): void {
    if (HTTP_WORDS.has((args[0] ?? '').toLowerCase())) {
      this.#socket.destroy()
      this.#session.isEnding = true
      return
    }
    const result = this.#engine.run(this.#session, args)
    if (!(result instanceof Blocked)) {
      this.#append(result)
      return
    }
    this.#isBlocked = true
    this.#engine.wait(this.#session, result, answer => {
      if (answer === undefined) return
      this.#append(answer)
      this.#isBlocked = false
      queueMicrotask(() => this.#release())
    })
  }

  #append(result: Result): void {
    try {
      this.#output += encodeResult(result, this.#session.protocol)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error // longer than a string can be
      this.#output += encodeResult(new RedisError('ERR the answer is too long'), 2)
    }
    if (this.#socket.writableLength + this.#output.length > MAX_UNREAD_BYTES && this.#session.subscriptions > 0)
      this.#socket.destroy()
    else if (!this.#isRunning && !this.#isScheduled) {
      this.#isScheduled = true
      queueMicrotask(() => {
        this.#isScheduled = false
        this.#flush()
      })
    }
  }

  #flush(): void {
    const output = this.#output
    this.#output = ''
    if (output === '' || this.#socket.destroyed) return
    if (!this.#socket.write(output, 'latin1')) this.#isUnread = true
  }

  /** Runs held requests. Requests of a client that has left still run, unless they are behind a waiting command. After QUIT the client gets all answers first. */
  #release(): void {
    if (!this.#isHeld && !this.#session.isEnding) {
      this.#socket.resume()
      this.#run()
    }
    if (!this.#isLeaving || this.#isResting || this.#isUnread) return
    // at once: messages before the close of the socket are for others
    this.#engine.end(this.#session)
    if (!this.#isGone) this.close()
  }
}
