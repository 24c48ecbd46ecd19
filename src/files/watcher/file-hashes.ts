import {createHash} from 'node:crypto'
import type {Stats} from 'node:fs'
import {readFile, stat} from 'node:fs/promises'
import {codeOf} from '../../model/errors.ts'

/** Event at a path: a new file, or a change of a known one. */
export type Came = 'appeared' | 'other'

/** Larger files are compared by size and time alone. */
const MAX_HASHED_BYTES = 16 * 1024 * 1024

/** Maximum number of files that wait to be hashed; of the others only size and time are known. */
const MAX_WAITING = 2000

/** Known facts about a file. */
interface Known {
  readonly size: number
  /** Whether its bytes may be read: it is a file, and not too large. */
  readonly isReadable: boolean
  /** The file is unchanged as long as this is: inode, size and time of the last write. */
  readonly fingerprint: string
  /** Hash of its bytes; undefined: they have not been read. */
  readonly hash?: string | undefined
}

/**
 * Hashes of a folder's files, which identify a save without a change. Reads no file before the whole
 * folder was seen; then files are hashed one after the other, the first 2,000 that were seen and all that change later.
 * A save of a file without a hash counts as a change, unless its size and time are as before.
 */
export class FileHashes {
  /** Known files by absolute path. */
  readonly #known = new Map<string, Known>()
  readonly #toHash = new Set<string>()
  readonly #maxWaiting: number
  #mayHash = false
  #hashing: Promise<void> | undefined
  /** Changes are compared one after the other, since the last read counts. */
  #compared: Promise<unknown> = Promise.resolve()
  #isClosed = false

  readonly #onWritten: (path: string) => void

  /** `onWritten` hears of a file that was written between the moment at which it was seen and that at which it is hashed. */
  constructor(onWritten: (path: string) => void, maxWaiting = MAX_WAITING) {
    this.#onWritten = onWritten
    this.#maxWaiting = maxWaiting
  }

  /** The known files. */
  get paths(): Iterable<string> {
    return this.#known.keys()
  }

  /** Remembers the first state of a file. Returns false if an earlier state differs, so that the file must be compared. */
  learn(path: string, seen: Stats): boolean {
    const now = knownOf(seen)
    const known = this.#known.get(path)
    if (known !== undefined) return known.fingerprint === now.fingerprint
    this.#known.set(path, now)
    this.#hashLater(path)
    return true
  }

  /** The whole folder was seen: from now on files are read. Settles when none waits to be hashed. */
  async hash(): Promise<void> {
    this.#mayHash = true
    if (this.#toHash.size > 0) this.#hashing ??= this.#hashAll() // which would end before it is kept, and be the last one
    await this.#hashing
  }

  /** Whether any of these differs from what was known of it. A folder that came or went differs. */
  async differ(came: Iterable<readonly [string, Came]>): Promise<boolean> {
    const compared = this.#compared.then(async () => this.#differ([...came]))
    this.#compared = compared.catch(() => undefined)
    return compared
  }

  /** Another folder is in place of the app's own, in which its process runs: each file differs, whatever it holds. */
  forget(): void {
    for (const [path, known] of this.#known) this.#known.set(path, {...known, fingerprint: '', hash: undefined})
  }

  close(): void {
    this.#isClosed = true
    this.#toHash.clear()
  }

  async #differ(paths: readonly (readonly [string, Came])[]): Promise<boolean> {
    for (const [index, [path, how]] of paths.entries()) {
      if (await this.#isSame(path, how)) continue
      const others = paths.slice(index + 1).map(([other]) => other)
      await Promise.all(others.map(async other => this.#lookAgain(other)))
      for (const each of [path, ...others]) this.#hashLater(each)
      return true
    }
    return false
  }

  /**
   * The file may differ, too. Its bytes are read while the app is replaced, so what it is now is kept in mind: a save that
   * comes before they are read is another change, as the new process may have read the file already.
   */
  async #lookAgain(path: string): Promise<void> {
    const now = await look(path)
    if (now === undefined) this.#known.delete(path)
    else this.#known.set(path, now)
  }

  async #isSame(path: string, how: Came): Promise<boolean> {
    const before = this.#known.get(path)
    const after = await look(path)
    if (after === undefined) {
      this.#known.delete(path)
      return before === undefined && how === 'other'
    }
    const isHashed = before?.hash !== undefined && before.size === after.size
    const hash = isHashed ? await hashOf(path, after) : undefined
    this.#known.set(path, {...after, hash})
    return isHashed ? hash === before.hash : after.fingerprint === before?.fingerprint
  }

  #hashLater(path: string): void {
    if (this.#isClosed || this.#toHash.size >= this.#maxWaiting) return
    this.#toHash.add(path)
    if (this.#mayHash) void this.hash()
  }

  async #hashAll(): Promise<void> {
    for (const path of this.#toHash) {
      this.#toHash.delete(path) // what is added meanwhile is gone through, too
      await this.#hash(path)
    }
    this.#hashing = undefined
  }

  async #hash(path: string): Promise<void> {
    const known = this.#known.get(path)
    if (known === undefined || known.hash !== undefined) return // one that is gone and comes back is a change
    const hash = await hashOf(path, known)
    const after = await look(path)
    if (this.#isClosed || this.#known.get(path) !== known) return
    // the library looks at a file before it watches it, and does not say what is saved in between
    if (after?.fingerprint !== known.fingerprint) this.#onWritten(path)
    else if (hash !== undefined) this.#known.set(path, {...known, hash})
  }
}

const knownOf = (seen: Stats): Known =>
  seen.isDirectory()
    ? {size: 0, isReadable: false, fingerprint: 'a folder'}
    : {
        size: seen.size,
        isReadable: seen.isFile() && seen.size <= MAX_HASHED_BYTES,
        fingerprint: `${seen.ino} ${seen.size} ${seen.mtimeMs}`
      }

/** Looks at a path; undefined: nothing is there. */
async function look(path: string): Promise<Known | undefined> {
  try {
    return knownOf(await stat(path))
  } catch (error) {
    const code = codeOf(error)
    // one that may not be looked at is there all the same
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : {size: 0, isReadable: false, fingerprint: code}
  }
}

const digestOf = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('base64')

/** The hash of what a file holds; undefined where that cannot or should not be read. */
async function hashOf(path: string, {isReadable}: Known): Promise<string | undefined> {
  if (!isReadable) return undefined
  return readFile(path).then(digestOf, () => undefined)
}

/** A file was saved after this moment. A date in the future means nothing: clocks are set back, and other machines have their own. */
export const isSince = ({mtimeMs, ctimeMs}: Stats, since: number, now: number): boolean =>
  [mtimeMs, ctimeMs].some(time => time > since && time <= now)

export const savedSince = async (path: string, since: number, now: number): Promise<boolean> =>
  stat(path).then(
    stats => isSince(stats, since, now),
    () => false // its removal is reported
  )
