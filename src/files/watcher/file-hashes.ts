import {createHash} from 'node:crypto'
import {existsSync, type Stats} from 'node:fs'
import {readFile, stat} from 'node:fs/promises'
import {codeOf} from '../../model/errors.ts'

/** Event at a path. `appeared`: a new file or folder; `other`: a known one changed or vanished. */
export type Came = 'appeared' | 'other'

/** Larger files are compared by size and time alone. */
const MAX_HASHED_BYTES = 16 * 1024 * 1024

/** Maximum number of files that wait to be hashed; for the others only size and time are compared. */
const MAX_WAITING = 2000

/** Known facts about a file. */
interface Known {
  readonly size: number
  /** Whether its bytes may be read: a file that is not too large. */
  readonly isReadable: boolean
  /** Inode, size, and time of the last write: while they are equal, the file is unchanged. */
  readonly fingerprint: string
  /** Hash of its bytes. Undefined if they have not been read. */
  readonly hash?: string | undefined
}

/**
 * Hashes of a folder's files, which recognize a save without a change. Hashing begins once the whole folder is known, one file after the
 * other: the first 2,000, and later all that change. A save of a file without a hash counts as a change unless size and time are equal.
 */
export class FileHashes {
  /** Known files by absolute path. */
  readonly #known = new Map<string, Known>()
  readonly #toHash = new Set<string>()
  readonly #maxWaiting: number
  #mayHash = false
  #hashing: Promise<void> | undefined
  /** Queue of comparisons: each uses the result of the last. */
  #compared: Promise<unknown> = Promise.resolve()
  #isClosed = false

  readonly #onWritten: (path: string) => void

  /** `onWritten`: called for a file that was written between its discovery and its hashing. */
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

  /** Begins to hash, after the whole folder is known. Settles when no file waits. */
  async hash(): Promise<void> {
    this.#mayHash = true
    if (this.#toHash.size > 0) this.#hashing ??= this.#hashAll() // without files it would end before it is assigned, and never begin again
    await this.#hashing
  }

  /** Whether any of these paths has changed. A folder that appeared or vanished is a change. */
  async differ(came: Iterable<readonly [string, Came]>): Promise<boolean> {
    const compared = this.#compared.then(async () => this.#differ([...came]))
    this.#compared = compared.catch(() => undefined)
    return compared
  }

  /** Marks all files as changed: another folder has replaced the app's own folder. */
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
   * Notes the current state of a file that was not compared, since another file has changed and the app is being replaced. A later save is a
   * further change: the new process may have read the file already.
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
      this.#toHash.delete(path) // the loop also reaches files that are added meanwhile
      await this.#hash(path)
    }
    this.#hashing = undefined
  }

  async #hash(path: string): Promise<void> {
    const known = this.#known.get(path)
    if (known === undefined || known.hash !== undefined) return // a file that vanished, and comes back, is a change
    const hash = await hashOf(path, known)
    const after = await look(path)
    if (this.#isClosed || this.#known.get(path) !== known) return
    // the library looks at a file before it watches it, and misses a save in between
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

/** Looks at a path. Undefined if nothing is there. */
async function look(path: string): Promise<Known | undefined> {
  try {
    return knownOf(await stat(path))
  } catch (error) {
    const code = codeOf(error)
    // a path that must not be read exists all the same
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : {size: 0, isReadable: false, fingerprint: code}
  }
}

const digestOf = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('base64')

/** Returns the hash of a file's bytes. Undefined if they cannot or should not be read. */
async function hashOf(path: string, {isReadable}: Known): Promise<string | undefined> {
  if (!isReadable) return undefined
  return readFile(path).then(digestOf, () => undefined)
}

/** Whether a file was saved after a moment. Dates in the future do not count: clocks are set back, and other machines have their own. */
export const isSince = ({mtimeMs, ctimeMs}: Stats, since: number, now: number): boolean =>
  [mtimeMs, ctimeMs].some(time => time > since && time <= now)

export const savedSince = async (path: string, since: number, now: number): Promise<boolean> =>
  stat(path).then(
    stats => isSince(stats, since, now),
    () => false // the watcher reports that the file was removed
  )

/** Returns changes without `except`, and without files that an editor made only to save another one. */
export function savedOf(
  came: ReadonlyMap<string, Came>,
  except: ReadonlySet<string>
): readonly (readonly [string, Came])[] {
  const all = [...came]
  const lasting = all.filter(([path, how]) => how === 'other' || existsSync(path))
  return (lasting.length === 0 ? all : lasting).filter(([path]) => !except.has(path))
}
