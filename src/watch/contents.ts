import {createHash} from 'node:crypto'
import type {Stats} from 'node:fs'
import {readFile, stat} from 'node:fs/promises'
import {codeOf} from '../errors.ts'

/** What came of a path: something of this name appeared, or it is known to have been there. */
export type Came = 'appeared' | 'other'

/** Larger files are told apart by size and time. */
const READ_MOST = 16 * 1024 * 1024

/** What the files of a folder hold, so that a save that changes nothing is known as such. */
export class Contents {
  /** By absolute path. A path without an entry is one of which nothing is known. */
  readonly #known = new Map<string, string>()
  readonly #toLearn: {readonly path: string; readonly seen: Stats}[] = []
  #isLearning = false
  #isClosed = false

  /** Keeps in mind what a file holds, as it was when it was seen; it is read when there is time. */
  learn(path: string, seen: Stats): void {
    this.#toLearn.push({path, seen})
    if (!this.#isLearning) void this.#learnAll()
  }

  /** Whether any of these differs from what was known of it. A folder that came or went differs. */
  async differ(came: ReadonlyMap<string, Came>): Promise<boolean> {
    const paths = [...came]
    for (const [index, [path, how]] of paths.entries()) {
      const before = this.#known.get(path)
      const after = await printOf(path)
      if (after === undefined) this.#known.delete(path)
      else this.#known.set(path, after)
      const isSame = before === undefined ? after === undefined && how === 'other' : before === after
      if (isSame) continue
      // the others may differ too: that is found out while the app is exchanged
      for (const [other] of paths.slice(index + 1)) this.#forget(other)
      return true
    }
    return false
  }

  close(): void {
    this.#isClosed = true
    this.#toLearn.length = 0
  }

  #forget(path: string): void {
    this.#known.delete(path)
    void stat(path).then(
      seen => this.learn(path, seen),
      () => undefined // it is gone
    )
  }

  async #learnAll(): Promise<void> {
    this.#isLearning = true
    for (let next = this.#toLearn.shift(); next !== undefined && !this.#isClosed; next = this.#toLearn.shift()) {
      const {path, seen} = next
      const print = await printOf(path)
      // written in between: what it held when it was seen is not known
      if (print !== undefined && !this.#known.has(path) && (await isStill(path, seen))) this.#known.set(path, print)
    }
    this.#isLearning = false
  }
}

/** What a file holds, in few bytes; undefined: there is none. */
async function printOf(path: string): Promise<string | undefined> {
  try {
    const seen = await stat(path)
    if (seen.isDirectory()) return 'a folder'
    if (!seen.isFile() || seen.size > READ_MOST) return `${seen.size.toString()} ${seen.mtimeMs.toString()}`
    return createHash('sha1')
      .update(await readFile(path))
      .digest('base64')
  } catch (error) {
    // one that may not be read is there all the same
    return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? undefined : codeOf(error)
  }
}

async function isStill(path: string, {mtimeMs, size, ino}: Stats): Promise<boolean> {
  try {
    const now = await stat(path)
    return now.mtimeMs === mtimeMs && now.size === size && now.ino === ino
  } catch {
    return false // gone meanwhile
  }
}
