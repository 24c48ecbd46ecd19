import {systemClock, type Clock} from '../../platform/clock.ts'
import {following, type WrittenPiece, type Writer} from './open-line.ts'
import {asBytes} from '../../model/bytes.ts'

/** Time without reading after which a reader counts as stuck, in ms. */
const TIMEOUT_MS = 5000

export interface ConsoleOutput {
  /** Writes latin1 text. Returns a promise for a slow reader, which settles when there is room. Never rejects. */
  write(text: string): Promise<void> | undefined
  /** Whether the last line, by any writer, has no newline yet. */
  readonly midLine: boolean
}

export interface ConsoleWriter extends Writer {
  /** Returns the fate of lines while the reader is stuck: only in the file, lost, or the writer waits. */
  whenStuck(): 'kept' | 'lost' | 'wait'
}

/** A wait for a slow reader. `resumed` settles when the reader reads again, `released` also when it counts as stuck. */
interface Wait {
  readonly resumed: Promise<void>
  readonly released: Promise<void>
}

/**
 * The console of a run: lines of all apps, never mixed within a line. Writers wait for a slow reader. After 5 s it counts as stuck: lines
 * that a file keeps are dropped, and a later line counts them.
 */
export class Console {
  readonly #output: ConsoleOutput
  readonly #after: Clock['after']
  readonly #own: ConsoleWriter = {prefix: '', whenStuck: () => 'wait'}
  #last: Writer | undefined
  #wait: Wait | undefined
  #isStuck = false
  #dropped = 0
  #areKept = true
  /** Writers whose open line has been counted as dropped. */
  readonly #counted = new Set<Writer>()

  constructor(output: ConsoleOutput, after: Clock['after'] = (ms, fire) => systemClock.after(ms, fire)) {
    this.#output = output
    this.#after = after
  }

  /** Writes or drops a piece at once. If this returns a promise, the writer has to wait until it settles. */
  write(piece: WrittenPiece<ConsoleWriter>): Promise<void> | undefined {
    if (piece.text === '') return undefined
    const fate = piece.writer.whenStuck()
    if (this.#isStuck && fate !== 'wait') {
      this.#drop(piece, fate)
      return undefined
    }
    this.#put(piece)
    return fate === 'wait' ? this.#wait?.resumed : this.#wait?.released
  }

  #put(piece: WrittenPiece<ConsoleWriter>): void {
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

  /** Counts dropped lines; a line in several pieces counts once. */
  #drop({writer, text}: WrittenPiece, fate: 'kept' | 'lost'): void {
    const isOpen = !text.endsWith('\n')
    const lines = text.split('\n').length - (isOpen ? 0 : 1)
    this.#dropped += lines - (this.#counted.has(writer) ? 1 : 0)
    if (isOpen) this.#counted.add(writer)
    else this.#counted.delete(writer)
    if (fate === 'lost') this.#areKept = false
  }
}
