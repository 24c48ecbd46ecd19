import {following, type Piece, type Writer} from './open-line.ts'
import {asBytes} from './prefix.ts'

/** A reader that takes nothing for so long is stuck. */
const TIMEOUT_MS = 5000

/** The console as its owner gives it. */
export interface ConsoleOutput {
  /** Takes latin1 text. A promise: the reader is slow; it settles when there is module again, and never rejects. */
  write(text: string): Promise<void> | undefined
  /** Whether the last line lacks its newline, whoever wrote it. */
  readonly midLine: boolean
}

export interface ConsoleWriter extends Writer {
  /** What becomes of its lines while the reader is stuck: dropped, as a file has them; lost; or the writer waits. */
  whenStuck(): 'kept' | 'lost' | 'wait'
}

/** Runs `task` after `ms` unless it is called off by what it returns. */
export type After = (ms: number, task: () => void) => () => void

const afterAll: After = (ms, task) => {
  const timer = setTimeout(task, ms)
  return () => clearTimeout(timer)
}

export interface ConsoleOptions {
  readonly output: ConsoleOutput
  /** The clock. */
  readonly after?: After
}

/** A slow reader: `resumed` when it reads again, `released` at the latest when it counts as stuck. */
interface Wait {
  readonly resumed: Promise<void>
  readonly released: Promise<void>
}

/**
 * The console of a run: lines of all apps, never mixed within a line. A slow reader makes its writers wait; one that is
 * stuck for 5 s loses the lines that a file has, and reads how many when it goes on.
 */
export class Console {
  readonly #output: ConsoleOutput
  readonly #after: After
  readonly #own: ConsoleWriter = {prefix: '', whenStuck: () => 'wait'}
  #last: Writer | undefined
  #wait: Wait | undefined
  #isStuck = false
  #dropped = 0
  #areKept = true
  /** Writers whose line, still open, has been counted as dropped. */
  readonly #counted = new Set<Writer>()

  constructor({output, after = afterAll}: ConsoleOptions) {
    this.#output = output
    this.#after = after
  }

  /** A promise asks the writer to wait until it settles. What is given is written (or dropped) all the same. */
  write(piece: Piece<ConsoleWriter>): Promise<void> | undefined {
    if (piece.text === '') return undefined
    const fate = piece.writer.whenStuck()
    if (this.#isStuck && fate !== 'wait') {
      this.#drop(piece, fate)
      return undefined
    }
    this.#put(piece)
    return fate === 'wait' ? this.#wait?.resumed : this.#wait?.released
  }

  #put(piece: Piece<ConsoleWriter>): void {
    const text = following({isOpen: this.#output.midLine, writer: this.#last}, piece)
    this.#last = piece.writer
    if (piece.text.includes('\n')) this.#counted.delete(piece.writer)
    const room = this.#output.write(text)
    if (room !== undefined) this.#wait ??= this.#watch(room)
  }

  #watch(room: Promise<void>): Wait {
    const released = Promise.withResolvers<void>()
    const callOff = this.#after(TIMEOUT_MS, () => {
      this.#isStuck = true
      released.resolve()
    })
    const resumed = room.then(() => {
      callOff()
      this.#resume()
      return released.resolve()
    })
    return {resumed, released: released.promise}
  }

  #resume(): void {
    this.#wait = undefined
    this.#isStuck = false
    if (this.#dropped === 0) return
    const where = this.#areKept ? ', they are in the log files' : ''
    const text = asBytes(`… ${this.#dropped} lines dropped from the console${where}\n`)
    this.#dropped = 0
    this.#areKept = true
    this.#put({writer: this.#own, text})
  }

  /** Counts the lines of which something is dropped: one that comes in several pieces once. */
  #drop({writer, text}: Piece, fate: 'kept' | 'lost'): void {
    const isOpen = !text.endsWith('\n')
    const lines = text.split('\n').length - (isOpen ? 0 : 1)
    this.#dropped += lines - (this.#counted.has(writer) ? 1 : 0)
    if (isOpen) this.#counted.add(writer)
    else this.#counted.delete(writer)
    if (fate === 'lost') this.#areKept = false
  }
}
