import {isatty} from 'node:tty'
import {asBytes} from '../../model/bytes.ts'
import {codeOf} from '../../model/errors.ts'
import {inLocale} from '../../model/locale-signs.ts'
import {terminalText} from '../../observe/logging/terminal-text.ts'
import {putTo} from './put.ts'
import {foldedFor} from './say.ts'
import {endsLine, StatusLines} from './status-lines.ts'

/** Maximum number of unread characters before writers have to wait. */
const MAX_UNREAD = 1024 * 1024
/** Size of one write: the capacity of a pipe, and the smallest progress of a slow reader that we notice. */
const GATHER_SIZE = 64 * 1024
/** Text is gathered for this long, so that one write carries the output of many apps. */
const GATHER_MS = 1
/** Time without progress of the reader after which we exit with unread output. */
const TIMEOUT_MS = 1000

/** Error codes of writes after the reader of a pipe or socket is gone, or the terminal hung up. */
const READER_GONE = ['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED']

/** State of the queue. A closed queue has lost its reader, and drops all text. */
type Activity =
  | {readonly kind: 'idle' | 'writing' | 'closed'}
  | {readonly kind: 'gathering'; readonly timer: NodeJS.Timeout}

/** stdout or stderr as a queue: one write at a time, which carries all text that was queued during the last one. */
export class TerminalOutput {
  readonly isTerminal: boolean
  /** Whether the last line has no newline yet. */
  midLine = false
  readonly #put: ReturnType<typeof putTo>
  readonly #status = new StatusLines()
  #activity: Activity = {kind: 'idle'}
  #queue: string[] = []
  /** Characters that are queued or being written. */
  #unread = 0
  /** Number of finished writes, which shows progress of the reader. */
  #writes = 0
  /** Settles when at most `MAX_UNREAD` characters are unread: `write` returns it to writers that have to wait. */
  #hasRoom: PromiseWithResolvers<void> | undefined
  /** Settles when all is written, or the reader is gone: `drained` waits for it. */
  #isEmpty: PromiseWithResolvers<void> | undefined
  readonly #closed = Promise.withResolvers<void>()
  readonly #failed = Promise.withResolvers<Error>()

  constructor(fd: number) {
    this.#put = putTo(fd)
    this.isTerminal = isatty(fd)
  }

  /** Settles when the reader is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Resolves with the first error other than a closed reader, such as a full disk. Writing continues. */
  get failed(): Promise<Error> {
    return this.#failed.promise
  }

  /** Writes bytes of an app, as latin1. Returns a promise while more than 1 MiB is unread; it never rejects. */
  write(text: string): Promise<void> | undefined {
    if (text === '' || this.#activity.kind === 'closed') return undefined
    this.midLine = !endsLine(text)
    this.#queue.push(text)
    this.#unread += text.length
    if (this.#activity.kind !== 'writing') this.#writeSoon()
    if (this.#unread <= MAX_UNREAD) return undefined
    this.#hasRoom ??= Promise.withResolvers<void>()
    return this.#hasRoom.promise
  }

  /** Prints our own text on a new line. On a terminal, control characters in it become visible. */
  print(text: string): Promise<void> | undefined {
    const shown = this.isTerminal ? shownText(foldedFor(process.stdout, text)) : asBytes(text)
    return this.write(this.midLine ? `\n${shown}` : shown)
  }

  /** Shows lines of our own below all others, in place of earlier ones; an empty string removes them. Lines must fit the terminal. */
  showStatus(text: string): void {
    if (!this.isTerminal || this.#activity.kind === 'closed') return
    this.#status.wanted = shownText(text)
    if (this.#activity.kind !== 'writing' && this.#status.isDue) this.#writeNext()
  }

  /** Settles when the queue is empty, or when nothing was read for a second. */
  async drained(): Promise<void> {
    while (this.#unread > 0) {
      const before = this.#writes
      this.#isEmpty ??= Promise.withResolvers<void>()
      const pause = Promise.withResolvers<void>()
      const timer = setTimeout(pause.resolve, TIMEOUT_MS)
      await Promise.race([this.#isEmpty.promise, pause.promise])
      clearTimeout(timer)
      if (this.#writes === before) return
    }
  }

  #writeSoon(): void {
    if (this.#unread >= GATHER_SIZE) this.#writeNext()
    else if (this.#activity.kind !== 'gathering')
      this.#activity = {kind: 'gathering', timer: setTimeout(() => this.#writeNext(), GATHER_MS)}
  }

  #writeNext(): void {
    if (this.#activity.kind === 'gathering') clearTimeout(this.#activity.timer)
    this.#activity = {kind: 'writing'}
    const text = this.#nextText()
    this.#put(this.#status.below(text), error => this.#written(text.length, error ?? undefined))
  }

  /** Removes queued texts for one write, and returns them joined. */
  #nextText(): string {
    let size = 0
    let count = 0
    while (size < GATHER_SIZE && count < this.#queue.length) size += this.#queue[count++]?.length ?? 0
    return this.#queue.splice(0, count).join('')
  }

  #written(length: number, error: Error | undefined): void {
    this.#activity = {kind: 'idle'}
    this.#writes++
    this.#unread -= length
    if (error !== undefined) this.#fail(error)
    if (this.#unread <= MAX_UNREAD) {
      this.#hasRoom?.resolve()
      this.#hasRoom = undefined
    }
    const isClosed = this.#activity.kind === 'closed'
    if (!isClosed && (this.#unread > 0 || this.#status.isDue)) return this.#writeSoon()
    this.#isEmpty?.resolve()
    this.#isEmpty = undefined
  }

  #fail(error: Error): void {
    if (!READER_GONE.includes(codeOf(error))) return this.#failed.resolve(error)
    this.#activity = {kind: 'closed'}
    this.#queue = []
    this.#unread = 0
    this.#closed.resolve()
  }
}

const shownText = (text: string): string => terminalText(asBytes(inLocale(text, process.env)))
