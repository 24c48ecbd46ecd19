import {Socket} from 'node:net'
import {LineCutter} from './line-splitter.ts'
import {pause} from '../../platform/delay.ts'
import type {ProcessPipes} from '../../platform/pipes.ts'

const SILENCE_MS = 100
/** Size of a read from a full pipe. */
const WHOLE_READ = 64 * 1024

export interface OutputOptions {
  readonly pipes: Pick<ProcessPipes, 'stdout' | 'stderr'>
  /** Bytes are passed on unchanged instead of being split into lines. */
  readonly isRaw: boolean
  /** Receives latin1 text. If it returns a promise, this stream is paused until it settles. */
  readonly take: (stream: 'stdout' | 'stderr', text: string) => Promise<void> | undefined
}

/** Reads the two pipes of a process, from the spawn until every writer has closed them. */
export class Output {
  /** Settles when both pipes have ended and the last line was passed on. */
  readonly #closed: Promise<void>
  readonly #sockets: readonly Socket[]
  readonly #options: OutputOptions
  #waiting = 0
  #lastRead = performance.now()
  #isClosed = false

  constructor(options: OutputOptions) {
    this.#options = options
    const {stdout, stderr} = options.pipes
    const streams = [
      {name: 'stdout', socket: readerOf(stdout.ours)},
      {name: 'stderr', socket: readerOf(stderr.ours)}
    ] as const
    this.#sockets = streams.map(({socket}) => socket)
    this.#closed = this.#readAll(streams)
  }

  /**
   * Waits for the last line: until both pipes have ended, or, if another process keeps them open, until they have been
   * silent for 100 ms and no sink is slow; stops when `mayWait` returns false.
   */
  async drained(mayWait: () => boolean): Promise<void> {
    const start = performance.now()
    const isSilent = (now: number): boolean =>
      this.#waiting === 0 && now - Math.max(start, this.#lastRead) >= SILENCE_MS
    for (let now = start; !this.#isClosed && !isSilent(now) && mayWait(); now = performance.now()) {
      await Promise.race([this.#closed, pause(20)])
    }
  }

  /** Continues reading, but no longer keeps our process alive. */
  release(): void {
    for (const socket of this.#sockets) socket.unref()
  }

  async #readAll(streams: readonly {readonly name: 'stdout' | 'stderr'; readonly socket: Socket}[]): Promise<void> {
    await Promise.all(streams.map(async ({name, socket}) => this.#read(name, socket)))
    this.#isClosed = true
  }

  async #read(name: 'stdout' | 'stderr', socket: Socket): Promise<void> {
    const {isRaw} = this.#options
    const cutter = new LineCutter()
    let taken: Promise<void> | undefined
    socket.on('data', (chunk: Buffer) => {
      this.#lastRead = performance.now()
      const text = isRaw ? chunk.toString('latin1') : cutter.push(chunk)
      if (text !== '') taken = this.#handOn(name, text, socket)
      if (chunk.length >= WHOLE_READ && !socket.isPaused()) giveWay(socket)
    })
    await new Promise(resolve => {
      socket.on('error', () => undefined).once('close', resolve) // `close` follows an error
    })
    await taken // a stream can end while it is paused
    const rest = isRaw ? '' : cutter.end()
    if (rest !== '') await this.#handOn(name, rest, socket)
  }

  /** Returns undefined if the text was accepted at once. */
  #handOn(name: 'stdout' | 'stderr', text: string, socket: Socket): Promise<void> | undefined {
    const turn = this.#options.take(name, text)
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

/** Lets calls run in between: libuv would read a full pipe 32 times in a row. */
function giveWay(socket: Socket): void {
  socket.pause()
  setImmediate(() => socket.resume())
}

/** A socket reads a FIFO like any pipe, without using the thread pool. */
const readerOf = (descriptor: number): Socket => new Socket({fd: descriptor, readable: true, writable: false})
