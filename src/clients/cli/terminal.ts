import {USUAL_COLUMNS} from './width.ts'
import {constants, fstatSync, openSync, type Stats, writeSync} from 'node:fs'
import {Socket} from 'node:net'
import {Writable} from 'node:stream'
import {isatty} from 'node:tty'
import {asBytes} from '../../model/bytes.ts'
import {codeOf} from '../../model/errors.ts'
import {inLocale} from '../../model/locale-signs.ts'
import {writeText} from '../../platform/write-text.ts'
import {terminalText} from '../../observe/logging/terminal-text.ts'
import type {CommandContext} from './command-handler.ts'
import {errorReason} from './print.ts'
import {foldedFor} from './say.ts'

/** Maximum number of unread characters before writers have to wait. */
const MAX_WAITING = 1024 * 1024
/** Size of one write: the capacity of a pipe, and the smallest progress of a slow reader that we notice. */
const GATHER_SIZE = 64 * 1024
/** Text is gathered for this long, so that one write carries the output of many apps. */
const GATHER_MS = 1
/** Interval at which a blocked terminal is retried: Node reports no event for it. */
const RETRY_MS = 5
/** Time without progress of the reader after which we exit with unread output. */
const TIMEOUT_MS = 1000

/** Moves to the start of the line and erases it (ECMA-48, EL). */
const ERASE_LINE = '\r\x1b[K'
/** Moves to the first place, and erases the screen. */
export const CLEAR = '\x1b[H\x1b[2J'
/** Moves to the line above (CUU) and erases it. */
const ERASE_ABOVE = `\x1b[A${ERASE_LINE}`

/** Writes a latin1 text completely without blocking, then calls `done` once. */
type Put = (text: string, done: (error?: Error | null) => void) => void

/** stdout or stderr. When its reader is gone, everything written to it is dropped. */
interface TerminalOutput {
  /** Writes bytes of an app, held as latin1. Returns a promise while more than 1 MiB is unread; it never rejects. */
  write(text: string): Promise<void> | undefined
  /** Prints our own text on a new line; on a terminal control characters in it are made visible. */
  print(text: string): Promise<void> | undefined
  /** Whether the last line has no newline yet. */
  readonly midLine: boolean
  readonly isTerminal: boolean
  /** Shows lines of our own below all others, in place of earlier ones; an empty string removes them. Lines must fit the terminal. */
  showStatus(text: string): void
}

/** Our stdout and stderr. During a run nothing else writes to them. */
export interface Terminal {
  readonly out: TerminalOutput
  readonly err: TerminalOutput
  readonly isTerminal: boolean
  /** Columns; undefined if stdout is not a terminal. */
  readonly width: number | undefined
  /** Settles when stdout was closed: its reader or the terminal is gone. */
  readonly closed: Promise<void>
  /** Settles when everything is written, or when a reader has read nothing for a second. */
  readonly flush: () => Promise<void>
}

/** Whether a person watches: both ends are a terminal, and no program reads our lines. */
export const isOnTerminal = ({flags, asJson}: Pick<CommandContext, 'flags' | 'asJson'>): boolean =>
  isatty(1) && isatty(0) && !asJson && !flags.list('run-file').includes('-') && process.env['TERM'] !== 'dumb'

/**
 * Opens two descriptors. If both are the same file (`2>&1`), they share one queue, which keeps the order. From now on
 * `process.stdout` and `process.stderr` write to these queues, too.
 */
export function openTerminal({stdout = 1, stderr = 2} = {}): Terminal {
  const out = new AppChannel(stdout)
  const err = isSamePlace(fstatSync(stdout), fstatSync(stderr)) ? out : new AppChannel(stderr)
  if (stdout === 1 && stderr === 2) {
    replaceStream('stdout', out)
    replaceStream('stderr', err)
  }
  void out.failed.then(error => err.print(`cannot write to stdout: ${errorReason(error)}\n`))
  const isTerminal = isatty(stdout)
  return {
    out,
    err,
    isTerminal,
    get width() {
      return isTerminal ? process.stdout.columns || USUAL_COLUMNS : undefined
    },
    closed: out.closed,
    flush: async () => void (await Promise.all([out.drained(), err.drained()]))
  }
}

/**
 * Node opens descriptor 1 when `process.stdout` is first read, and that throws EEXIST while libuv polls the descriptor
 * for a write of ours (`uv_pipe_open`). So the property gets a stream that writes to our queue. Terminals keep Node's
 * stream: it opens the terminal again, and knows its size.
 */
function replaceStream(name: 'stdout' | 'stderr', channel: AppChannel): void {
  if (channel.isTerminal) return
  const put = async (chunk: Buffer, done: () => void): Promise<void> => {
    void channel.write(chunk.toString('latin1'))
    await channel.drained()
    done()
  }
  const stream = new Writable({write: (chunk: Buffer, _encoding, done) => void put(chunk, done)})
  Object.defineProperty(process, name, {value: stream, configurable: true, enumerable: true})
}

const isSamePlace = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino

/** Errors if the reader of a pipe or socket is gone, or the terminal hung up. */
const READER_GONE = ['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED']

/** A write queue for a descriptor: one write at a time, with all text that was queued during the last one. */
class AppChannel implements TerminalOutput {
  midLine = false
  readonly isTerminal: boolean
  readonly #put: Put
  #waiting: string[] = []
  /** Characters that are queued or being written. */
  #size = 0
  /** Lines below all output: as wanted, and as drawn. */
  #status = ''
  #shownStatus = ''
  #isWholeLine = true
  #isWriting = false
  #isClosed = false
  #writes = 0
  #timer: NodeJS.Timeout | undefined
  #drain: PromiseWithResolvers<void> | undefined
  #idle: PromiseWithResolvers<void> | undefined
  readonly #closed = Promise.withResolvers<void>()
  readonly #failed = Promise.withResolvers<Error>()

  constructor(fd: number) {
    this.#put = putTo(fd)
    this.isTerminal = isatty(fd)
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** The first error other than a closed reader, such as a full disk. Writing continues. */
  get failed(): Promise<Error> {
    return this.#failed.promise
  }

  write(text: string): Promise<void> | undefined {
    if (text === '' || this.#isClosed) return undefined
    this.midLine = !isWhole(text)
    this.#waiting.push(text)
    this.#size += text.length
    if (!this.#isWriting) this.#writeSoon()
    if (this.#size <= MAX_WAITING) return undefined
    this.#drain ??= Promise.withResolvers<void>()
    return this.#drain.promise
  }

  print(text: string): Promise<void> | undefined {
    const shown = this.isTerminal ? shownText(foldedFor(process.stdout, text)) : asBytes(text)
    return this.write(this.midLine ? `\n${shown}` : shown)
  }

  showStatus(text: string): void {
    if (!this.isTerminal || this.#isClosed) return
    this.#status = shownText(text)
    if (!this.#isWriting && this.#isStatusDue) this.#writeNext()
  }

  /** Settles when the queue is empty, or when nothing was read for a second. */
  async drained(): Promise<void> {
    while (this.#size > 0) {
      const before = this.#writes
      this.#idle ??= Promise.withResolvers<void>()
      const pause = Promise.withResolvers<void>()
      const timer = setTimeout(pause.resolve, TIMEOUT_MS)
      await Promise.race([this.#idle.promise, pause.promise])
      clearTimeout(timer)
      if (this.#writes === before) return
    }
  }

  #writeSoon(): void {
    if (this.#size >= GATHER_SIZE) this.#writeNext()
    else this.#timer ??= setTimeout(() => this.#writeNext(), GATHER_MS)
  }

  #writeNext(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isWriting = true
    const text = this.#take()
    this.#put(this.#aboveStatus(text), error => {
      this.#isWriting = false
      this.#writes++
      this.#size -= text.length
      if (error !== undefined && error !== null) this.#fail(error)
      if (this.#size <= MAX_WAITING) this.#resumeWriters()
      if (this.#size > 0 || this.#isStatusDue) this.#writeSoon()
      else this.#notifyIdle()
    })
  }

  /** Removes queued texts for one write, and returns them joined. */
  #take(): string {
    let size = 0
    let count = 0
    while (size < GATHER_SIZE && count < this.#waiting.length) size += this.#waiting[count++]?.length ?? 0
    return this.#waiting.splice(0, count).join('')
  }

  get #isStatusDue(): boolean {
    return this.#status !== this.#shownStatus && (this.#isWholeLine || this.#shownStatus !== '')
  }

  /** Returns `text` with the status lines drawn below it, if the text ends a line. Most streams have no status. */
  #aboveStatus(text: string): string {
    if (text !== '') this.#isWholeLine = isWhole(text)
    if (this.#status === '' && this.#shownStatus === '') return text
    const before = this.#shownStatus === '' ? '' : erasing(this.#shownStatus)
    this.#shownStatus = this.#isWholeLine ? this.#status : ''
    return before + text + this.#shownStatus
  }

  #resumeWriters(): void {
    this.#drain?.resolve()
    this.#drain = undefined
  }

  #notifyIdle(): void {
    this.#idle?.resolve()
    this.#idle = undefined
  }

  #fail(error: Error): void {
    if (!READER_GONE.includes(codeOf(error))) return this.#failed.resolve(error)
    this.#isClosed = true
    this.#waiting = []
    this.#size = 0
    this.#closed.resolve()
  }
}

const shownText = (text: string): string => terminalText(asBytes(inLocale(text, process.env)))

/** Whether the next text begins a line. */
const isWhole = (text: string): boolean => text.endsWith('\n') || text.endsWith(CLEAR)

/** Erases lines from the last one upwards. */
const erasing = (shown: string): string => ERASE_LINE + ERASE_ABOVE.repeat(shown.split('\n').length - 1)

function putTo(fd: number): Put {
  if (isatty(fd)) return putToTerminal(descriptionOfOurOwn(fd, ['/dev/tty']))
  const stats = fstatSync(fd)
  if (stats.isFIFO()) return putToSocket(descriptionOfOurOwn(fd))
  // a file is written in the thread pool: disks have no readiness events
  return stats.isSocket() ? putToSocket(fd) : (text, done) => writeText(fd, text, done)
}

/**
 * O_NONBLOCK belongs to the open file description, which we share with our parent and with other processes on the same
 * pipe or terminal. So we open the file again (Linux: proc(5), /proc/pid/fd). If that fails (no /proc, another user's
 * terminal), `others` are tried, then `fd` itself is used.
 */
function descriptionOfOurOwn(fd: number, others: readonly string[] = []): number {
  for (const path of [`/proc/self/fd/${fd}`, ...others]) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch {
      continue // try the next path
    }
  }
  return fd
}

/** Writes through the event loop: a reader that does not read blocks nothing. */
function putToSocket(fd: number): Put {
  const socket = new Socket({fd, readable: false, writable: true})
  socket.on('error', () => undefined) // each write gets the error, too
  return (text, done) => void socket.write(text, 'latin1', done)
}

/**
 * A terminal that is paused with Ctrl-S accepts nothing, possibly for hours. A blocking write would block us; in the
 * thread pool it would block our exit, which waits for the threads (tried). So we write without blocking, and retry.
 */
function putToTerminal(fd: number): Put {
  const put: Put = (text, done) => {
    let written = 0
    try {
      written = writeSync(fd, text, null, 'latin1')
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') return done(error instanceof Error ? error : new Error(String(error)))
    }
    if (written === text.length) done()
    else setTimeout(put, written === 0 ? RETRY_MS : 0, text.slice(written), done)
  }
  return put
}
