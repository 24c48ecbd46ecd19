import {cp, lstat, readlink, realpath, rm, rmdir, stat, symlink} from 'node:fs/promises'
import {dirname, join, sep} from 'node:path'
import {codeOf, messageOf} from '../../../model/errors.ts'
import type {Reporter} from '../../../model/reporter.ts'
import {makeFolder} from '../../../platform/make-folder.ts'
import {fingerprintOf, fingerprintsIn, isDatabase, type Fingerprints, type WorkspaceContent} from './manifest.ts'

/** A copy of a folder for a service, since another service runs in the folder. */
export interface CopiedWorkspace extends WorkspaceContent {
  readonly source: string
  readonly folder: string
  /** The source files that were copied, as they were then. */
  sourceFiles: Fingerprints
  /** Links in it to folders elsewhere: their targets, by path. */
  links: ReadonlyMap<string, string>
  /** Paths whose failure was reported. */
  readonly failed: Set<string>
  /** The copied files, which may differ: modification times are rounded. */
  readonly files: Map<string, string>
  /** The last copy operation, so that they run one after the other; it never rejects. */
  copied: Promise<void>
}

/**
 * Deletes removed paths first. Otherwise a copy could follow an old link into the user's folder. Reports files that cannot
 * be copied and tries them again with the next change. Returns whether files were copied; at once when `over` is aborted.
 */
export async function copyChanges(
  copy: CopiedWorkspace,
  reporter: Pick<Reporter, 'warn'>,
  over?: AbortSignal
): Promise<boolean> {
  const {source, folder, sourceFiles, files} = copy
  const links = new Map<string, string>()
  // a link to a folder may point to a parent: its target is linked, not copied
  const link = async (path: string): Promise<void> => void links.set(path, await realpath(join(source, path)))
  const unreadable = new Set<string>()
  const unread = (path: string, error: unknown): void => {
    unreadable.add(path)
    notCopied(copy, reporter, path, error)
  }
  const empty: string[] = []
  const met = {linked: link, empty: (path: string) => void empty.push(path), unreadable: unread}
  const now = new Map(await fingerprintsIn(source, met))
  // unreadable paths stay as copied
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

/** Copies a file. Resolves with false if that failed. */
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

/** Reports a failed copy once, unless the source is gone. A later change reports the removal. */
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

/** Returns whether a path is a file itself, not a link to one. */
const isFile = async (path: string): Promise<boolean> => (await lstat(path).catch(() => undefined))?.isFile() === true

/** Makes a folder in a copy, below real folders: a link in the way is removed. */
async function clearFolder(folder: string, path: string): Promise<void> {
  let above = folder
  for (const part of path.split(sep)) {
    above = join(above, part)
    if ((await lstat(above).catch(() => undefined))?.isDirectory() === false) await rm(above, {force: true})
  }
  makeFolder(above)
}

/** Removes a file or a link from a copy, with the folders that are empty then. Keeps the target of a link. */
async function removeFrom(folder: string, path: string): Promise<void> {
  try {
    const above = dirname(path)
    if ((await realpath(join(folder, above))) !== join(await realpath(folder), above)) return
    await rm(join(folder, path), {force: true})
    for (let empty = above; empty !== '.'; empty = dirname(empty)) await rmdir(join(folder, empty))
  } catch {
    // it is gone, or the service has files there
  }
}
