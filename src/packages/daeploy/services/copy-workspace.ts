import {cp, lstat, readlink, realpath, rm, rmdir, stat, symlink} from 'node:fs/promises'
import {dirname, join, sep} from 'node:path'
import {codeOf, messageOf} from '../../../model/errors.ts'
import type {Reporter} from '../../../model/reporter.ts'
import {makeFolder} from '../../../platform/make-folder.ts'
import {fingerprintOf, fingerprintsIn, isDatabase, type Fingerprints, type WorkspaceContent} from './manifest.ts'

/** A copy of a folder for a service, since another service runs in the folder itself. */
export interface CopiedWorkspace extends WorkspaceContent {
  readonly source: string
  readonly folder: string
  /** Fingerprints of the copied source files at the time of the copy. */
  sourceFiles: Fingerprints
  /** Targets of the links to folders elsewhere, by path in the copy. */
  links: ReadonlyMap<string, string>
  /** Paths whose failure was reported. */
  readonly failed: Set<string>
  /** Fingerprints of the copies, which may differ from `sourceFiles`: modification times are rounded. */
  readonly files: Map<string, string>
  /** Latest copy operation, after which the next one runs. Never rejects. */
  copied: Promise<void>
}

/**
 * Copies what has changed in the source. First deletes paths that were removed: the copy could follow an old link into the user's folder. Reports
 * files that cannot be copied, and tries them again at the next change. Resolves with whether files were copied. `over`: aborted to stop early.
 */
export async function copyChanges(
  copy: CopiedWorkspace,
  reporter: Pick<Reporter, 'warn'>,
  over?: AbortSignal
): Promise<boolean> {
  const {source, folder, sourceFiles, files} = copy
  const links = new Map<string, string>()
  // links to folders are linked and not copied, since a link may point to a parent folder
  const link = async (path: string): Promise<void> => void links.set(path, await realpath(join(source, path)))
  const unreadable = new Set<string>()
  const unread = (path: string, error: unknown): void => {
    unreadable.add(path)
    notCopied(copy, reporter, path, error)
  }
  const empty: string[] = []
  const met = {linked: link, empty: (path: string) => void empty.push(path), unreadable: unread}
  const now = new Map(await fingerprintsIn(source, met))
  // keeps the copies of paths that cannot be read now
  const isUnread = (path: string): boolean => [...unreadable].some(each => each === '' || path.startsWith(each + sep))
  for (const [path, target] of copy.links) if (!links.has(path) && isUnread(path)) links.set(path, target)
  for (const [path, before] of sourceFiles) if (!now.has(path) && isUnread(path)) now.set(path, before)
  for (const path of copy.links.keys()) if (!links.has(path)) await removeFrom(folder, path)
  for (const path of sourceFiles.keys()) if (!now.has(path) && !isDatabase(path)) await removeFrom(folder, path)
  for (const path of empty) await attempt(copy, reporter, path, async () => clearFolder(folder, path))
  const folders = new Set<string>()
  const placeOf = async (path: string): Promise<string> => {
    const above = dirname(path)
    if (!folders.has(above)) await clearFolder(folder, above)
    folders.add(above)
    return join(folder, path)
  }
  for (const [path, target] of links)
    await attempt(copy, reporter, path, async () => {
      const place = await placeOf(path)
      if ((await readlink(place).catch(() => '')) === target) return
      await rm(place, {recursive: true, force: true})
      await symlink(target, place)
    })
  let hasChanged = false
  for (const [path, fingerprint] of now) {
    if (over?.aborted === true) return hasChanged
    const before = sourceFiles.get(path)
    if (before === fingerprint || (before !== undefined && isDatabase(path))) continue
    const isCopied = await attempt(copy, reporter, path, async () => {
      const place = await placeOf(path)
      if (!(await isFile(place))) await rm(place, {recursive: true, force: true})
      await cp(join(source, path), place, {preserveTimestamps: true, dereference: true})
      files.set(path, fingerprintOf(await stat(place)))
    })
    const copied = isCopied ? fingerprint : before
    if (copied === undefined) now.delete(path)
    else now.set(path, copied)
    hasChanged = true
  }
  Object.assign(copy, {links, sourceFiles: now})
  return hasChanged
}

/** Copies a path by `work`. Resolves with false if that failed. */
async function attempt(
  copy: CopiedWorkspace,
  reporter: Pick<Reporter, 'warn'>,
  path: string,
  work: () => Promise<void>
): Promise<boolean> {
  try {
    await work()
    copy.failed.delete(path)
    return true
  } catch (error) {
    notCopied(copy, reporter, path, error)
    return false
  }
}

/** Reports a failed copy once. Does not report a source that is gone, since its removal is the next change. */
function notCopied(
  {source, failed}: CopiedWorkspace,
  reporter: Pick<Reporter, 'warn'>,
  path: string,
  error: unknown
): void {
  if (codeOf(error) === 'ENOENT' || failed.has(path)) return
  failed.add(path)
  reporter.warn('not-copied', `${join(source, path)} is not in the copy of its folder: ${messageOf(error)}`)
}

/** Resolves with whether a path is a file, and not a link to one. */
const isFile = async (path: string): Promise<boolean> => (await lstat(path).catch(() => undefined))?.isFile() === true

/** Creates a folder in a copy. Removes links and files that are in the place of its parents. */
async function clearFolder(folder: string, path: string): Promise<void> {
  let above = folder
  for (const part of path.split(sep)) {
    above = join(above, part)
    if ((await lstat(above).catch(() => undefined))?.isDirectory() === false) await rm(above, {force: true})
  }
  makeFolder(above)
}

/** Removes a file or a link, but not its target, from a copy. Then removes empty parent folders. */
async function removeFrom(folder: string, path: string): Promise<void> {
  try {
    const above = dirname(path)
    if ((await realpath(join(folder, above))) !== join(await realpath(folder), above)) return
    await rm(join(folder, path), {force: true})
    for (let empty = above; empty !== '.'; empty = dirname(empty)) await rmdir(join(folder, empty))
  } catch {
    // the path is gone, or the service has files in a parent folder
  }
}
