import {createReadStream} from 'node:fs'
import {open, realpath} from 'node:fs/promises'
import {join, posix} from 'node:path'
import {pipeline as compose, Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {createGunzip} from 'node:zlib'
import type {ReadEntry} from 'tar'
import {codeOf, messageOf} from '../../model/errors.ts'
import {makeFolder} from '../../platform/make-folder.ts'

/** Limits for unpacking an archive. */
export interface UnpackLimits {
  readonly maxBytes: number
  readonly maxEntries: number
}

/** Maximum length of a path (PATH_MAX of Linux). */
const MAX_PATH = 4096
/** Default limits. Folders that only occur in paths of files count as entries, too. */
const LIMITS: UnpackLimits = {maxBytes: 2 * 2 ** 30, maxEntries: 100_000}

/**
 * Unpacks a tar archive, with or without gzip, into a folder: files, folders and symbolic links, and nothing outside the folder. Streams and
 * counts the output, so that memory and disk space stay within limits. Throws for an invalid or truncated archive, for a path that leads out of
 * the folder, and once the signal is aborted. The folder may contain files then.
 */
export async function unpackArchive(
  archive: string,
  folder: string,
  limits = LIMITS,
  signal?: AbortSignal
): Promise<void> {
  const {extract} = await import('tar')
  const entries = new Entries(limits.maxEntries)
  const unpack = extract({
    cwd: folder,
    preserveOwner: false,
    noMtime: true,
    filter: (_, entry) => entries.isWanted(entry as ReadEntry),
    onwarn: (code, message) => entries.onWarning(code, message)
  })
  makeFolder(folder)
  const isCompressed = await isGzip(archive)
  // no `await` between here and the pipeline, since an error of the stream would have no listener meanwhile
  const file = createReadStream(archive)
  const plain = isCompressed ? compose(file, createGunzip(), () => undefined) : file
  try {
    await pipeline(Readable.from(entries.readable(plain, limits.maxBytes, signal)), unpack)
  } catch (error) {
    entries.check() // throws the first error
    throw error
  }
  entries.check()
  await checkLinks(folder, entries.links)
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const {buffer} = await file.read(Buffer.alloc(2), 0, 2, 0)
    return buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await file.close()
  }
}

/** Checks the entries of an archive before they are written. */
class Entries {
  /** Paths of the symbolic links. */
  readonly links: string[] = []
  readonly #maxEntries: number
  #count = 0
  /** First error; '': none. */
  #fault = ''
  /** Folders that exist only as parents of entries. */
  readonly #folders = new Set<string>()

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  /** Rejects the whole archive after a warning, for which the library `tar` only skips an entry. */
  onWarning(code: string, message: string | Error): void {
    if (code !== 'TAR_ENTRY_INFO') this.#fail(typeof message === 'string' ? message : message.message)
  }

  /** Yields the bytes up to the first error, then ends normally, so that `tar` finishes its writes now and not after the folder was removed. */
  async *readable(source: Readable, maxBytes: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
    let size = 0
    try {
      for await (const piece of source as AsyncIterable<Buffer>) {
        size += piece.length
        if (size > maxBytes) this.#fail(`it holds more than ${maxBytes} bytes`)
        if (signal?.aborted === true) this.#fail(messageOf(signal.reason))
        if (this.#fault !== '') return
        yield piece
      }
    } catch (error) {
      this.#fail(messageOf(error))
    }
  }

  check(): void {
    if (this.#fault !== '') throw new Error(this.#fault)
  }

  isWanted(entry: ReadEntry): boolean {
    const {path, type, linkpath = ''} = entry
    if (this.#fault !== '' || path === '/') return false // Python's tarfile writes `/` for the folder itself
    if (path.length > MAX_PATH) return this.#fail(`a path of ${path.length} characters is too long`)
    if (leaves(path)) return this.#fail(`${path} leaves the folder`)
    this.#count += 1 + this.#newFolders(path)
    if (this.#count > this.#maxEntries) return this.#fail(`it holds more than ${this.#maxEntries} files`)
    if (type === 'SymbolicLink') {
      if (linkpath.startsWith('/') || leaves(posix.join(posix.dirname(path), linkpath)))
        return this.#fail(`${linkpath} leaves the folder`)
      this.links.push(path)
    } else if (!KINDS.has(type)) return this.#fail(`${path} is neither a file nor a folder nor a symbolic link`)
    // keeps only the executable bit of the mode
    entry.mode = type === 'Directory' || ((entry.mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644
    return true
  }

  /** Returns the number of parent folders of an entry that no earlier entry had. */
  #newFolders(path: string): number {
    const before = this.#folders.size
    for (let at = path.lastIndexOf('/', path.length - 2); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at)
      if (this.#folders.has(folder)) break
      this.#folders.add(folder)
    }
    return this.#folders.size - before
  }

  #fail(fault: string): false {
    this.#fault ||= fault
    return false
  }
}

const KINDS: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir'])

const leaves = (path: string): boolean => path.startsWith('/') || /^\.\.(?:\/|$)/.test(posix.normalize(path))

/** Throws if a link leads out of the folder, possibly through another link, which its own target does not show. */
async function checkLinks(folder: string, links: readonly string[]): Promise<void> {
  const inside = await realpath(folder)
  for (const link of links) {
    const target = await realpath(join(folder, link)).catch(orNothing)
    if (target !== '' && target !== inside && !target.startsWith(`${inside}/`))
      throw new Error(`${link} leaves the folder`)
  }
}

/** Returns '' for the error of a dangling or circular link, which leads nowhere. Throws other errors. */
function orNothing(error: unknown): '' {
  if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes(codeOf(error))) return ''
  throw error
}
