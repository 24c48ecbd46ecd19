import {Socket} from 'node:net'
import {LineCutter} from './line-splitter.ts'
import {pause} from '../../platform/delay.ts'
import type {ProcessPipes} from '../../platform/pipes.ts'

const SILENCE_MS = 100
/** So much comes at once from a pipe that is full. */
const WHOLE_READ = 64 * 1024

export interface OutputOptions {
  readonly pipes: Pick<ProcessPipes, 'stdout' | 'stderr'>
  /** Bytes are passed on as they come, and not cut into lines. */
  readonly isRaw: boolean
  /** Takes latin1 text. A promise pauses this stream until it settles. */
  readonly take: (stream: 'stdout' | 'stderr', text: string) => Promise<void> | undefined
}

/** What one process writes on its two pipes, from the spawn until nobody holds them any more. */
export class Output {
  /** Both pipes have ended, and their last line was handed on. */
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
   * Waits for the last line: until both pipes have ended, or, where somebody who is not ours holds them, until they have
   * been silent for 100 ms and no sink is being waited for; only as long as `mayWait` says so.
   */
  async drained(mayWait: () => boolean): Promise<void> {
    const start = performance.now()
    const isSilent = (now: number): boolean =>
      this.#waiting === 0 && now - Math.max(start, this.#lastRead) >= SILENCE_MS
    for (let now = start; !this.#isClosed && !isSilent(now) && mayWait(); now = performance.now()) {
      await Promise.race([this.#closed, pause(20)])
    }
  }

  /** Reads on while somebody writes, but no longer keeps our process alive for it. */
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
      socket.on('error', () => undefined).once('close', resolve) // an error is an end: `close` follows
    })
    await taken // a pause does not hold back the end of a stream that has been read
    const rest = isRaw ? '' : cutter.end()
    if (rest !== '') await this.#handOn(name, rest, socket)
  }

  /** Undefined: taken at once. */
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

/** A pipe that is always full would be read 32 times before anything else has its turn (libuv): calls go between. */
function giveWay(socket: Socket): void {
  socket.pause()
  setImmediate(() => socket.resume())
}

/** A socket reads a FIFO as it reads any pipe, without a thread of the pool. */
const readerOf = (descriptor: number): Socket => new Socket({fd: descriptor, readable: true, writable: false})
