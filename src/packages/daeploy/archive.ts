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

/** No system opens a longer path (PATH_MAX of Linux). */
const MAX_PATH = 4096
/** Folders that only occur in paths count as entries. */
const LIMITS: UnpackLimits = {maxBytes: 2 * 2 ** 30, maxEntries: 100_000}

/**
 * Unpacks a tar archive, with or without gzip, into a folder: files, folders and symbolic links, nothing outside the folder. Streams and
 * counts the output, so that memory and the written bytes stay within limits. Throws for an invalid or truncated archive, for a path that
 * leaves the folder, and once the signal is aborted; the folder may then be partly filled.
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
  // read without an `await` before it: an error would have no listener
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

/** The entries of an archive, checked before they are written. */
class Entries {
  /** Paths of the symbolic links. */
  readonly links: string[] = []
  readonly #maxEntries: number
  #count = 0
  /** The first error, '' for none. */
  #fault = ''
  /** Folders that are made for their contents. */
  readonly #folders = new Set<string>()

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  /** The library skips an entry with a warning and continues; we reject the whole archive. */
  onWarning(code: string, message: string | Error): void {
    if (code !== 'TAR_ENTRY_INFO') this.#fail(typeof message === 'string' ? message : message.message)
  }

  /** Passes bytes on up to a mistake. Then ends without an error: the library finishes its writes, and writes nothing later, when the folder may be gone. */
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
    if (this.#fault !== '' || path === '/') return false // the folder itself, as Python's tarfile names it
    if (path.length > MAX_PATH) return this.#fail(`a path of ${path.length} characters is too long`)
    if (leaves(path)) return this.#fail(`${path} leaves the folder`)
    this.#count += 1 + this.#newFolders(path)
    if (this.#count > this.#maxEntries) return this.#fail(`it holds more than ${this.#maxEntries} files`)
    if (type === 'SymbolicLink') {
      if (linkpath.startsWith('/') || leaves(posix.join(posix.dirname(path), linkpath)))
        return this.#fail(`${linkpath} leaves the folder`)
      this.links.push(path)
    } else if (!KINDS.has(type)) return this.#fail(`${path} is neither a file nor a folder nor a symbolic link`)
    // Keeps only the executable bit of the mode.
    entry.mode = type === 'Directory' || ((entry.mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644
    return true
  }

  /** Returns how many folders on the way to an entry are new. */
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

/** A link may lead outside through another link, which its own target does not show. */
async function checkLinks(folder: string, links: readonly string[]): Promise<void> {
  const inside = await realpath(folder)
  for (const link of links) {
    const target = await realpath(join(folder, link)).catch(orNothing)
    if (target !== '' && target !== inside && !target.startsWith(`${inside}/`))
      throw new Error(`${link} leaves the folder`)
  }
}

/** A dangling or circular link leads nowhere. */
function orNothing(error: unknown): '' {
  if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes(codeOf(error))) return ''
  throw error
}
