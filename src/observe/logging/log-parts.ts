import {close, existsSync, fstatSync, open, readSync, statSync, writeSync} from 'node:fs'
import {rename} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'
import {orElse} from '../../model/or-else.ts'
import {makeFolder} from '../../platform/make-folder.ts'
import {LogText, openPart, type OpenPart} from './log-reader.ts'

/** Time between two checks of the file, in ms: the user may have removed, emptied or replaced it. */
const LOOK_MS = 1000

/** Returns the path of the older half of a log file: `….log.1`. */
export const formerPath = (path: string): string => `${path}.1`

/** Returns the path of the log to which a file of this path belongs. */
export const logPathOf = (path: string): string => (path.endsWith('.log.1') ? path.slice(0, -2) : path)

/** Opens a log file for appending; `ax` fails if it exists. Only the user may read it: apps may write secrets. */
export const openLog = async (path: string, how: 'a+' | 'ax'): Promise<number> => promisify(open)(path, how, 0o600)

/** Adds a newline to a file that ends within a line. */
function endLine(descriptor: number): void {
  const last = Buffer.alloc(1)
  const {size} = fstatSync(descriptor)
  if (size > 0 && readSync(descriptor, last, 0, 1, size - 1) > 0 && last[0] !== 10) writeSync(descriptor, '\n')
}

/** Opens the log of an ended run at this path. Rejects without one. */
export async function openKeptLog(path: string): Promise<LogText> {
  const former = await openPart(formerPath(path), 0)
  const size = former === undefined ? 0 : (await former.file.stat()).size
  const parts = await openBehind(former, path, size)
  if (parts.length === 0) throw new Error(`no such file: ${path}`)
  return new LogText(parts)
}

/** Opens the current file behind the former one, if there is a former one. If it fails, closes the former one: Node ends the process for a forgotten handle. */
async function openBehind(former: OpenPart | undefined, path: string, from: number): Promise<readonly OpenPart[]> {
  const current = await openPart(path, from).catch(async (error: unknown) => {
    await former?.file.close()
    throw error
  })
  return [former, current].filter(part => part !== undefined)
}

/**
 * The two files of a log that is being written. Once the current file has half of the limit, it replaces the former one. Offsets count
 * over the whole log, so that a reader keeps its place.
 */
export class LogParts {
  descriptor: number
  readonly #path: string
  /** Maximum size of both in bytes; Infinity: the file is never rotated. */
  readonly #most: number
  /** Offset of the first kept byte: in the former file, if there is one, else in the current file. */
  #start = 0
  #current = 0
  #tried = 0
  /** When the file was last checked (`performance.now()`). */
  #lookedAt = performance.now()
  #rotation: Promise<void> | undefined

  constructor(path: string, descriptor: number, most: number) {
    this.#path = path
    this.descriptor = descriptor
    this.#most = most
  }

  /** Whether to rotate after `written` bytes: between two lines, unless they are too long; at once if the file was replaced. */
  isFull(written: number, isMidLine: boolean): boolean {
    if (written - this.#tried >= (isMidLine ? this.#most : this.#most / 2)) return true
    const now = performance.now()
    if (now - this.#lookedAt < LOOK_MS) return false
    this.#lookedAt = now
    return orElse(() => this.#isOther(written), false) // the run may have no permission to check the file
  }

  /** Returns the end of the line that fills the current file, or of the text. */
  endIn(text: string, written: number): number {
    const room = this.#most / 2 - (written - this.#tried)
    const end = text.length > room ? text.indexOf('\n', Math.max(0, room - 1)) : -1
    return end < 0 ? text.length : end + 1
  }

  /** Whether the user has removed, emptied, replaced or extended the file. If the app's own folder is gone, too, no new file is made. */
  #isOther(written: number): boolean {
    const there = statSync(this.#path, {throwIfNoEntry: false})
    if (there === undefined) return existsSync(join(this.#path, '../../..'))
    return there.size !== written - this.#current || there.ino !== fstatSync(this.descriptor).ino
  }

  /** Makes the current file the former one, and opens a new one. Never rejects: a file that cannot be renamed is written further. */
  async rotate(written: number): Promise<void> {
    this.#tried = written
    await (this.#rotation = this.#rotate(written).catch(() => undefined))
  }

  async open(): Promise<LogText> {
    for (;;) {
      const rotation = this.#rotation
      await rotation
      const former = this.#start < this.#current ? await openPart(formerPath(this.#path), this.#start) : undefined
      const text = new LogText(await openBehind(former, this.#path, this.#current))
      if (rotation === this.#rotation) return text
      await text.close()
    }
  }

  async #rotate(written: number): Promise<void> {
    const former = formerPath(this.#path)
    const isOther = this.#isOther(written)
    if (isOther) makeFolder(dirname(this.#path))
    else await rename(this.#path, former)
    const descriptor = await openLog(this.#path, isOther ? 'a+' : 'ax').catch(async (error: unknown) => {
      if (!isOther) await rename(former, this.#path)
      throw error
    })
    // ends the text of a file by the user, so that the next text begins a line
    if (isOther) orElse(() => endLine(descriptor), undefined)
    const begin = written - fstatSync(descriptor).size
    this.#start = isOther ? begin : this.#current
    this.#current = this.#tried = begin
    close(this.descriptor, () => undefined) // all was written
    this.descriptor = descriptor
  }
}
