import {constants, fstatSync, openSync, type Stats, write as writeFile, writeSync} from 'node:fs'
import {Socket} from 'node:net'
import {isatty} from 'node:tty'
import {getSystemErrorMessage} from 'node:util'
import {codeOf, messageOf} from '../model/errors.ts'
import {terminalText} from '../logging/terminal-text.ts'

/** Characters that the reader has not taken before the writer is asked to wait. */
const MAX_WAITING = 1024 * 1024
/** What is written at once: what a pipe takes. It is also the least by which a slow reader shows that it moves. */
const GATHER_SIZE = 64 * 1024
/** Text waits this long for company: one write then carries what many apps wrote in many. */
const GATHER_MS = 1
/** How soon a terminal that takes nothing is tried again: nothing tells when it takes more. */
const RETRY_MS = 5
/** A reader that takes nothing for so long does not keep us from leaving. */
const TIMEOUT_MS = 1000

/** Writes all of a latin1 text, without blocking us, and says once how that went. */
type Put = (text: string, done: (error?: Error | null) => void) => void

/** One of our two streams. Once its reader is gone, what is written to it is dropped. */
export interface Output {
  /** Bytes of an app as latin1 text. A promise, while more than 1 MiB waits for the reader; it never rejects. */
  write(text: string): Promise<void> | undefined
  /** Text of our own, which begins on a line of its own; what it quotes of others does a terminal no harm. */
  print(text: string): Promise<void> | undefined
  /** Whether the last line lacks its newline. */
  readonly midLine: boolean
  readonly isTerminal: boolean
}

/** Our stdout and stderr; nothing else writes to them while a run processes. */
export interface Terminal {
  readonly out: Output
  readonly err: Output
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean
  /** Columns; undefined where stdout is no terminal. */
  readonly width: number | undefined
  /** Stdout was closed under us: its reader is gone, or the terminal. */
  readonly closed: Promise<void>
  /** Settles when all is written, or when a reader has taken nothing for a second. */
  readonly flush: () => Promise<void>
}

/** Opens the streams behind two descriptors. Both lead to the same place (`2>&1`): one queue, so that the order holds. */
export function openTerminal({stdout = 1, stderr = 2} = {}): Terminal {
  const out = new AppChannel(stdout)
  const err = isSamePlace(fstatSync(stdout), fstatSync(stderr)) ? out : new AppChannel(stderr)
  void out.failed.then(error => err.print(`cannot write to stdout: ${reasonOf(error)}\n`))
  const isTerminal = isatty(stdout)
  return {
    out,
    err,
    isTerminal,
    get width() {
      return isTerminal ? process.stdout.columns : undefined
    },
    closed: out.closed,
    flush: async () => {
      await Promise.all([out.drained(), err.drained()])
    }
  }
}

const isSamePlace = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino

const reasonOf = (error: Error): string =>
  'errno' in error && typeof error.errno === 'number' ? getSystemErrorMessage(error.errno) : messageOf(error)

/** The reader of a pipe or socket has left; a terminal was hung up. */
const READER_GONE = ['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED']

/** A queue before a descriptor: one write at a time, in which everything goes that came meanwhile. */
class AppChannel implements Output {
  midLine = false
  readonly isTerminal: boolean
  readonly #put: Put
  #waiting: string[] = []
  /** Characters that wait or are being written. */
  #size = 0
  #isWriting = false
  #isClosed = false
  #writes = 0
  #timer: NodeJS.Timeout | undefined
  #room: PromiseWithResolvers<void> | undefined
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

  /** The first failure that is not the reader's leaving, such as a full disk; writing goes on. */
  get failed(): Promise<Error> {
    return this.#failed.promise
  }

  write(text: string): Promise<void> | undefined {
    if (text === '' || this.#isClosed) return undefined
    this.midLine = !text.endsWith('\n')
    this.#waiting.push(text)
    this.#size += text.length
    if (!this.#isWriting) this.#writeSoon()
    if (this.#size <= MAX_WAITING) return undefined
    this.#room ??= Promise.withResolvers<void>()
    return this.#room.promise
  }

  print(text: string): Promise<void> | undefined {
    const bytes = Buffer.from(text, 'utf8').toString('latin1')
    const shown = this.isTerminal ? terminalText(bytes) : bytes
    return this.write(this.midLine ? `\n${shown}` : shown)
  }

  /** Settles when nothing waits, or when nothing has moved for a second. */
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
    this.#put(text, error => {
      this.#isWriting = false
      this.#writes++
      this.#size -= text.length
      if (error !== undefined && error !== null) this.#fail(error)
      if (this.#size <= MAX_WAITING) this.#makeRoom()
      if (this.#size > 0) this.#writeSoon()
      else this.#rest()
    })
  }

  /** The next part of what waits: whole texts, as many as make up a write. */
  #take(): string {
    let size = 0
    let count = 0
    while (size < GATHER_SIZE && count < this.#waiting.length) size += this.#waiting[count++]?.length ?? 0
    return this.#waiting.splice(0, count).join('')
  }

  #makeRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  #rest(): void {
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

function putTo(fd: number): Put {
  if (isatty(fd)) return putToTerminal(descriptionOfOurOwn(fd, ['/dev/tty']))
  const stats = fstatSync(fd)
  if (stats.isFIFO()) return putToSocket(descriptionOfOurOwn(fd))
  return stats.isSocket() ? putToSocket(fd) : putToFile(fd)
}

/**
 * Not blocking is a property of the open file description, which we share with whoever started us and with what runs
 * with us on the same pipe or terminal; so we open it once more (Linux: proc(5), /proc/pid/fd). Where that cannot be
 * (no /proc, another user's terminal) `others` are tried, then `fd` itself is used.
 */
function descriptionOfOurOwn(fd: number, others: readonly string[] = []): number {
  for (const path of [`/proc/self/fd/${fd}`, ...others]) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch {
      continue // the next path, or the descriptor that we were given
    }
  }
  return fd
}

/** Waits in the event loop: a reader that does not read holds up nothing of ours. */
function putToSocket(fd: number): Put {
  const socket = new Socket({fd, readable: false, writable: true})
  socket.on('error', () => undefined) // each write is told of it
  return (text, done) => {
    socket.write(text, 'latin1', done)
  }
}

/**
 * A terminal that is held (Ctrl-S) takes nothing, for hours. Written to in the usual way it would block us; in the
 * thread pool it would block our exit, which waits for the threads (tried). So it is asked, and asked again.
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

/** In the thread pool: disks have no way of saying when they are ready. The system may take less than it is given. */
function putToFile(fd: number): Put {
  const put: Put = (text, done) => {
    writeFile(fd, text, null, 'latin1', (error, written) => {
      if (error !== null || written === text.length) done(error)
      else put(text.slice(written), done)
    })
  }
  return put
}
