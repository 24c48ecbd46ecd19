import {close, existsSync} from 'node:fs'
import {join} from 'node:path'
import {getSystemErrorMessage} from 'node:util'
import {codeOf, messageOf} from '../../model/errors.ts'
import {orElse} from '../../model/or-else.ts'
import {makeFolder, refusesWrites, spareFolder} from '../../platform/make-folder.ts'
import {writeText} from '../../platform/write-text.ts'
import {Gap} from './gap.ts'
import {formerPath, LogParts, openLog} from './log-parts.ts'
import {readPart, startOfLastIn} from './log-reader.ts'
import {type WrittenPiece, WholeLines} from './open-line.ts'
import type {LogRecord} from './log-record.ts'
import {Times} from './times.ts'
import {aborted} from '../../platform/delay.ts'

/** Maximum number of characters queued for the disk before writers have to wait. */
const MAX_WAITING = 1024 * 1024
/** Time in ms for which text is gathered, so that several lines need only one write. */
const GATHER_MS = 5
const GATHER_SIZE = 64 * 1024
/** Time between two attempts to write a file again, in ms. */
const RETRY_MS = 1000

/** Warns the user; one line, without newline. */
export type Warn = (text: string) => void

export interface LogFilePlace {
  /** Created with its parents if it does not exist. */
  readonly folder: string
  readonly id: string
  readonly kind: 'app' | 'daprd'
  readonly startedAt: Date
  /** Maximum size of the log in bytes (`LogParts`); 0: no limit. */
  readonly size: number
  readonly warn: Warn
}

const twoDigits = (part: number): string => String(part).padStart(2, '0')

/** Returns Dapr's name of a log file, in local time: `<id>_app_20260131235959.log`. */
export function logFileName({id, kind, startedAt}: Pick<LogFilePlace, 'id' | 'kind' | 'startedAt'>): string {
  const parts = [startedAt.getMonth() + 1, startedAt.getDate()]
  const clock = [startedAt.getHours(), startedAt.getMinutes(), startedAt.getSeconds()]
  return `${logFileStem(id, kind)}${startedAt.getFullYear()}${[...parts, ...clock].map(twoDigits).join('')}.log`
}

/** Returns the prefix of the names of all log files of an app: `<id>_app_`. A slash in an id becomes `_`. */
export const logFileStem = (id: string, kind: LogFilePlace['kind']): string => `${id.replaceAll('/', '_')}_${kind}_`

/** Returns the stem of a log file's name, undefined for other names. */
export const stemOf = (name: string): string | undefined => /^(.*_(?:app|daprd)_)\d{14}\.log$/s.exec(name)?.[1]

/** Returns the start time in the name of a log file, in ms since 1970, with a precision of one second. */
export function logStart(name: string): number {
  const [, year, month, day, ...clock] = /_(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.log$/.exec(name) ?? []
  return Date.parse(`${year}-${month}-${day}T${clock.join(':')}`)
}

/** Returns the system's message for an error: `no space left on device`. */
function reasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined
  return typeof errno === 'number' ? getSystemErrorMessage(errno) : messageOf(error)
}

/**
 * Creates and opens an app's log file. Each app has its own file: if the name exists (in Dapr two apps with one id that
 * start in the same second share a file), the next free second is used. In a read-only folder it uses the spare folder, with a warning. Resolves with undefined, after a warning, if that fails, too.
 */
export async function createLogFile(place: LogFilePlace): Promise<LogFile | undefined> {
  const {folder, warn} = place
  try {
    return await createIn(place)
  } catch (error) {
    const spare = refusesWrites(error) ? orElse(spareFolder, '') : ''
    const file = spare === '' ? undefined : await createIn({...place, folder: spare}).catch(() => undefined)
    warn(`cannot write log files in ${folder}: ${reasonOf(error)}${file === undefined ? '' : `. They are in ${spare}`}`)
    return file
  }
}

async function createIn({folder, id, kind, startedAt, size, warn}: LogFilePlace): Promise<LogFile> {
  makeFolder(folder)
  for (let second = 0; ; second++) {
    const path = join(folder, logFileName({id, kind, startedAt: new Date(startedAt.getTime() + second * 1000)}))
    const fd = await openFree(path)
    if (fd !== undefined) return new LogFile(fd, path, warn, size || Infinity)
  }
}

/** Opens a new file. Resolves with undefined if the name is taken, perhaps by a run that was killed during a rotation. */
async function openFree(path: string): Promise<number | undefined> {
  if (existsSync(formerPath(path))) return undefined
  try {
    return await openLog(path, 'ax')
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined
    throw error
  }
}

/**
 * A log file: one write at a time, never blocking. After a failed write (full disk) it warns once and omits text until the file can be
 * written again; then a line reports the gap. `WholeLines` keeps long lines whole, `LogParts` splits a long file in two.
 */
export class LogFile implements LogRecord {
  readonly path: string
  readonly #parts: LogParts
  readonly #warn: Warn
  readonly lines = new WholeLines(text => this.#append(text))
  readonly #times = new Times()
  #waiting: string[] = []
  #waitingSize = 0
  #written = 0
  readonly #taps = new Set<(text: string) => void>()
  /** Readers that wait until earlier text is written. */
  #readers: {readonly size: number; readonly resolve: () => void}[] = []
  #timer: NodeJS.Timeout | undefined
  #isWriting = false
  #state: 'open' | 'closing' | 'closed' = 'open'
  /** Text that was left out since a write failed. Undefined while writes succeed. */
  #gap: Gap | undefined
  #hasWarned = false
  /** Whether the text on disk ends within a line. */
  #isCut = false
  #drain: PromiseWithResolvers<void> | undefined
  readonly #closing = new AbortController()
  readonly closed = this.#closing.signal

  constructor(descriptor: number, path: string, warn: Warn, most = Infinity) {
    this.#parts = new LogParts(path, descriptor, most)
    this.path = path
    this.#warn = warn
  }

  /** Whether text is written. After a failed write or `close`, text is dropped. */
  get isOpen(): boolean {
    return this.#state === 'open' && this.#gap === undefined
  }

  /** Number of characters written so far, including those not yet on disk. Smaller after a failure. */
  length = 0

  get isWriting(): boolean {
    return this.#state === 'open' && this.#written < this.length
  }

  tap(take: (text: string) => void): () => void {
    this.#taps.add(take)
    return () => this.#taps.delete(take)
  }

  async *read(from: number, to: number): AsyncGenerator<string> {
    await this.#reached(to)
    yield* readPart(async () => this.#parts.open(), from, to)
  }

  async startOfLast(count: number, end: number): Promise<number> {
    await this.#reached(end)
    return startOfLastIn(async () => this.#parts.open(), count, end)
  }

  startSince(time: number): number {
    return this.#times.startSince(time) ?? this.length
  }

  /** Returns a promise while more than 1 MiB is queued; it settles when that is written, and never rejects. */
  write(piece: WrittenPiece): Promise<void> | undefined {
    if (this.#state !== 'open') return undefined
    this.#append(this.lines.take(piece))
    if (this.#waitingSize <= MAX_WAITING) return undefined
    this.#drain ??= Promise.withResolvers<void>()
    return this.#drain.promise
  }

  /** Writes the queue and closes the file; settles when that is done or has failed; never rejects. */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#append(this.lines.release())
      this.#state = 'closing'
      if (this.#gap !== undefined) this.#resume()
      else if (!this.#isWriting) this.#writeNext()
    }
    return aborted(this.closed)
  }

  #append(text: string): void {
    if (text === '') return
    for (const take of this.#taps) take(text)
    if (this.#gap === undefined) this.#queue(text)
    else this.#gap.add(text)
  }

  #queue(text: string): void {
    this.#times.note(text, this.length)
    this.#waiting.push(text)
    this.#waitingSize += text.length
    this.length += text.length
    if (!this.#isWriting) this.#writeSoon()
  }

  #writeSoon(): void {
    if (this.#waitingSize >= GATHER_SIZE) this.#writeNext()
    else this.#timer ??= setTimeout(() => this.#writeNext(), GATHER_MS)
  }

  #writeNext(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waitingSize === 0) return this.#end()
    if (this.#parts.isFull(this.#written, this.#isCut)) return void this.#rotate()
    const text = this.#waiting.join('')
    const end = this.#parts.endIn(text, this.#written)
    this.#keep(text.slice(end))
    this.#put(text.slice(0, end))
  }

  async #rotate(): Promise<void> {
    this.#isWriting = true
    await this.#parts.rotate(this.#written)
    this.#isWriting = false
    this.#writeNext()
  }

  /** Writes a text. `gap`: the gap that the text reports; omitted for other text. */
  #put(text: string, gap?: Gap): void {
    this.#isWriting = true
    writeText(this.#parts.descriptor, text, (error, written) => {
      this.#isWriting = false
      this.#written += written
      if (written > 0) this.#isCut = text[written - 1] !== '\n'
      this.#tellReaders(this.#written)
      if (error !== null) this.#fail(reasonOf(error), gap, gap === undefined ? text.slice(written) : '')
      else if (this.#state === 'open' && this.#waitingSize > 0) this.#writeSoon()
      else if (this.#state === 'closing') this.#writeNext()
    })
  }

  #fail(reason: string, gap = new Gap(reason), unwritten: string): void {
    if (!this.#hasWarned)
      this.#warn(`cannot write log file ${this.path}: ${reason}; lines are left out until it can be written again`)
    this.#hasWarned = true
    for (const text of [unwritten, ...this.#waiting]) gap.add(text)
    this.#gap = gap
    this.#keep('')
    this.length = this.#written
    this.#times.cut(this.length)
    this.#tellReaders(Infinity)
    if (this.#state === 'closing') this.#end()
    else this.#timer = setTimeout(() => this.#resume(), RETRY_MS).unref()
  }

  /** Tries to write again, with a line about the missing part. */
  #resume(): void {
    const gap = this.#gap
    clearTimeout(this.#timer)
    this.#timer = undefined // otherwise `#writeSoon` would wait for this timer
    if (gap === undefined) return
    // the note never splits a line, unless nothing more will be written
    if (gap.isMidLine && this.#state === 'open') {
      this.#timer = setTimeout(() => this.#resume(), RETRY_MS).unref()
      return
    }
    this.#gap = undefined
    const note = this.#isCut ? `\n${gap.note()}` : gap.note()
    this.#times.note(note, this.length)
    this.length += note.length
    this.#put(note, gap)
  }

  /** Keeps the rest for the next write; writers continue once it is small. */
  #keep(rest: string): void {
    this.#waiting = rest === '' ? [] : [rest]
    this.#waitingSize = rest.length
    if (rest.length > MAX_WAITING) return
    this.#drain?.resolve()
    this.#drain = undefined
  }

  /** Settles when the first `wanted` characters are on disk, or all there are, or after a failure. */
  async #reached(wanted: number): Promise<void> {
    const size = Math.min(wanted, this.length)
    if (this.#written >= size || this.#state === 'closed') return
    const {promise, resolve} = Promise.withResolvers<void>()
    this.#readers.push({size, resolve})
    return promise
  }

  #tellReaders(written: number): void {
    for (const {size, resolve} of this.#readers) if (size <= written) resolve()
    this.#readers = this.#readers.filter(({size}) => size > written)
  }

  #end(): void {
    if (this.#state !== 'closing') return
    this.#state = 'closed'
    close(this.#parts.descriptor, () => this.#closing.abort()) // ignores a failed close: the text was written before
  }
}
