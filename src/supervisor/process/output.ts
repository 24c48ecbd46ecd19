import {Socket} from 'node:net'
import {LineSplitter} from './line-splitter.ts'
import {pause} from '../../platform/delay.ts'
import type {ProcessPipes} from '../../platform/pipes.ts'
import type {ProcessTerminal} from './app-terminal.ts'

const SILENCE_MS = 100
/** Size of a read, which only a full pipe fills. */
const WHOLE_READ = 64 * 1024

/** Receives latin1 text of a stream. If it returns a promise, the stream pauses until the promise settles. */
export type TakeOutput = (stream: 'stdout' | 'stderr', text: string) => Promise<void> | undefined

interface Stream {
  readonly name: 'stdout' | 'stderr'
  readonly socket: Socket
  readonly splitter: Splitter
  /** Settles when the receiver has accepted the latest text; undefined: it has already. */
  taken: Promise<void> | undefined
}

type Splitter = Pick<LineSplitter, 'push' | 'end'>

/** Reads the two pipes of a process, or its terminal, from the spawn until every writer has closed them. */
export class Output {
  /** Settles when both pipes have ended and the last line was delivered. */
  readonly #closed: Promise<void>
  readonly #sockets: readonly Socket[]
  readonly #isRaw: boolean
  readonly #take: TakeOutput
  #waiting = 0
  #lastRead = performance.now()
  #isClosed = false

  /** `isRaw`: delivers bytes unchanged instead of lines. */
  constructor(from: ProcessPipes | ProcessTerminal, isRaw: boolean, take: TakeOutput) {
    this.#isRaw = isRaw
    this.#take = take
    const streams =
      'lines' in from
        ? [this.#open('stdout', from.lines, chunks => from.read(chunks))]
        : OF_PIPES.map(name => this.#open(name, new LineSplitter(), chunks => readerOf(from[name].ours, chunks)))
    this.#sockets = streams.map(({socket}) => socket)
    this.#closed = this.#readAll(streams)
  }

  /** Waits until both pipes have ended, or have been silent for 100 ms (another process may keep them open). Stops when `mayWait` returns false. */
  async drained(mayWait: () => boolean): Promise<void> {
    const start = performance.now()
    const isSilent = (now: number): boolean =>
      this.#waiting === 0 && now - Math.max(start, this.#lastRead) >= SILENCE_MS
    for (let now = start; !this.#isClosed && !isSilent(now) && mayWait(); now = performance.now()) {
      await Promise.race([this.#closed, pause(20)])
    }
  }

  /** Continues to read, but no longer keeps Pillion's process alive. */
  release(): void {
    for (const socket of this.#sockets) socket.unref()
  }

  async #readAll(streams: readonly Stream[]): Promise<void> {
    await Promise.all(streams.map(async stream => this.#readRest(stream)))
    this.#isClosed = true
  }

  #open(name: 'stdout' | 'stderr', splitter: Splitter, read: (take: (chunk: Buffer) => void) => Socket): Stream {
    const stream: Stream = {
      name,
      splitter,
      taken: undefined,
      socket: read(chunk => {
        const {socket} = stream
        this.#lastRead = performance.now()
        const text = this.#isRaw ? chunk.toString('latin1') : splitter.push(chunk)
        if (text !== '') stream.taken = this.#handOn(name, text, socket)
        if (chunk.length >= WHOLE_READ && !socket.isPaused()) giveWay(socket)
      })
    }
    return stream
  }

  async #readRest(stream: Stream): Promise<void> {
    const {name, splitter, socket} = stream
    await new Promise(resolve => {
      socket.on('error', () => undefined).once('close', resolve) // `close` follows an error
      socket.resume()
    })
    await stream.taken // the receiver may still be busy when the stream ends
    const rest = this.#isRaw ? '' : splitter.end()
    if (rest !== '') await this.#handOn(name, rest, socket)
  }

  /** Delivers text. Pauses the stream while the receiver is busy; undefined: the receiver has accepted the text at once. */
  #handOn(name: 'stdout' | 'stderr', text: string, socket: Socket): Promise<void> | undefined {
    const turn = this.#take(name, text)
    return turn === undefined ? undefined : this.#pauseFor(socket, turn)
  }

  async #pauseFor(socket: Socket, turn: Promise<void>): Promise<void> {
    this.#waiting++
    socket.pause()
    await turn
    this.#waiting--
    this.#lastRead = performance.now()
    socket.resume()
  }
}

const OF_PIPES = ['stdout', 'stderr'] as const

/** Pauses reading until the next turn of the event loop, so that calls run in between: libuv would read a full pipe 32 times in a row. */
function giveWay(socket: Socket): void {
  socket.pause()
  setImmediate(() => socket.resume())
}

/** Buffer that all pipes share. A reader uses its bytes before it returns. */
const shared = Buffer.allocUnsafeSlow(WHOLE_READ)

/** Returns a socket that reads a FIFO: like any pipe, without the thread pool. */
const readerOf = (descriptor: number, take: (chunk: Buffer) => void): Socket =>
  new Socket({
    fd: descriptor,
    readable: true,
    writable: false,
    onread: {
      buffer: shared,
      callback: count => {
        take(shared.subarray(0, count))
        return true
      }
    }
  })
