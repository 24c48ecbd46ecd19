import {realpathSync} from 'node:fs'
import {cp, lstat, readdir, readlink, realpath, rm, rmdir, stat, symlink} from 'node:fs/promises'
import {dirname, join, sep} from 'node:path'
import type {Environment} from '../../../model/environment.ts'
import {codeOf, messageOf} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {instanceName, type AppPlan} from '../../../model/plan.ts'
import type {Reporter} from '../../../model/reporter.ts'
import {
  changedIn,
  openWorkspacesFolder,
  workspacesFolder,
  MANIFEST,
  writeManifest,
  SHARED,
  fingerprintOf,
  fingerprintsIn,
  isDatabase,
  type WorkspaceContent,
  type Fingerprints
} from './manifest.ts'
import {makeFolder} from '../../../platform/make-folder.ts'

interface CopiedWorkspace extends WorkspaceContent {
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
 * The workspaces of a run: copies for services that would share a folder (each writes a database there, and deletes it),
 * deployed services, and files of ours. They are removed with the run, except those in which a user changed a file.
 */
export class Workspaces {
  readonly #home: string
  readonly #copies = new Map<string, CopiedWorkspace>()
  /** The services that run in their own folders, by these. */
  readonly #owners = new Map<string, string>()
  /** All folders that services run in, by name. */
  readonly #contents = new Map<string, WorkspaceContent>()
  #folder = ''
  /** Settles when nothing is unpacked. */
  #unpacked: Promise<unknown> = Promise.resolve()
  /** Aborted at the end. */
  readonly #closing = new AbortController()

  readonly #reporter: Pick<Reporter, 'warn'>

  constructor(env: Environment, run: string, reporter: Pick<Reporter, 'warn'>) {
    this.#reporter = reporter
    this.#home = join(workspacesFolder(env), run)
  }

  /** A folder of the run, created on first use below the user's cache folder, or below the system's temporary folder if that is not writable. */
  folder(name: string): string {
    if (this.#folder === '') {
      this.#folder = openWorkspacesFolder(this.#home)
      this.#writeManifest()
    }
    const folder = join(this.#folder, name)
    makeFolder(folder)
    return folder
  }

  /** Decides for all services of a template where they run: the first one of each folder runs there. Settles when all are copied. */
  async open(apps: readonly AppPlan[]): Promise<void> {
    for (const app of apps) await this.folderOf(app)
  }

  /**
   * The folder in which an app runs: its own, or, where another Daeploy service runs there, a workspace updated with all changes of its
   * source. Files of the service stay.
   */
  async folderOf(app: AppPlan): Promise<string> {
    const {fixedPort, folder} = app
    if (fixedPort === 0) return folder
    const name = nameOf(app)
    const source = orElse(() => realpathSync(folder), folder)
    let copy = this.#copies.get(name)
    if (copy?.source !== source) {
      const owner = this.#owners.get(source) ?? name
      this.#owners.set(source, owner)
      if (owner === name) return folder
      copy = this.#copy(name, source)
    }
    await this.#enqueueCopy(copy).catch((error: unknown) => this.#reporter.warn('not-copied', messageOf(error)))
    return copy.folder
  }

  /** The app has left the run: another one may run in its folder. */
  forget(app: AppPlan): void {
    for (const [source, owner] of this.#owners) if (owner === nameOf(app)) this.#owners.delete(source)
  }

  /** Unpacks a deployed archive into a new folder; that of an earlier deployment is removed. Where it fails nothing is left. */
  async unpack(name: string, archive: string): Promise<string> {
    this.#closing.signal.throwIfAborted()
    const unpacking = this.#unpack(name, archive)
    this.#unpacked = Promise.allSettled([this.#unpacked, unpacking])
    return unpacking
  }

  async #unpack(name: string, archive: string): Promise<string> {
    await this.drop(name)
    const folder = this.#create(name, {files: new Map(), isDeployed: true})
    try {
      const {unpackArchive} = await import('../archive.ts')
      await unpackArchive(archive, folder, undefined, this.#closing.signal)
    } catch (error) {
      await this.drop(name)
      throw new Error(`The archive cannot be unpacked: ${messageOf(error)}`, {cause: error})
    }
    this.#contents.set(name, {files: await fingerprintsIn(folder), isDeployed: true})
    this.#writeManifest()
    return folder
  }

  async drop(name: string): Promise<void> {
    if (this.#folder === '') return
    await this.#copies.get(name)?.copied
    this.#copies.delete(name)
    if (this.#contents.delete(name)) this.#writeManifest()
    await rm(join(this.#folder, name), {recursive: true, force: true})
  }

  /** The workspace of a deployed service that was removed; it is kept if the user changed a file. */
  async dropUnchanged(name: string): Promise<void> {
    const content = this.#contents.get(name)
    if (content?.isDeployed !== true) return
    const changed = await changedIn(this.#folder, [[name, content]])
    if (changed.length === 0) await this.drop(name)
  }

  /** Removes all workspaces except those in which a user changed files; returns their paths. */
  async close(): Promise<readonly string[]> {
    this.#closing.abort(new Error('the run ends'))
    await this.#unpacked
    if (this.#folder === '') return []
    await Promise.all([...this.#copies.values()].map(async ({copied}) => copied))
    const kept = await changedIn(this.#folder, this.#contents)
    let isEmpty = kept.length === 0
    for (const name of await readdir(this.#folder).catch(() => []))
      if (name !== MANIFEST && !kept.includes(name)) isEmpty = (await this.#remove(name)) && isEmpty
    // removed last: if we are killed before, another run continues
    await rm(isEmpty ? this.#folder : join(this.#folder, MANIFEST), {recursive: true, force: true})
    return kept.map(name => join(this.#folder, name))
  }

  /** False: it cannot be removed. What is in it belongs to another user, or has a mode that a service gave it. */
  async #remove(name: string): Promise<boolean> {
    const path = join(this.#folder, name)
    try {
      await rm(path, {recursive: true, force: true})
      return true
    } catch (error) {
      this.#reporter.warn('workspace-kept', `${path} cannot be removed: ${messageOf(error)}`)
      return false
    }
  }

  /** In place of a copy of the folder that the app had before an edit. */
  #copy(name: string, source: string): CopiedWorkspace {
    const before = this.#copies.get(name)
    const cleared = before?.copied.then(async () => rm(before.folder, {recursive: true, force: true}))
    const files = new Map<string, string>()
    const folder = this.#create(name, {files, isDeployed: false})
    const copy = {
      source,
      folder,
      files,
      isDeployed: false,
      sourceFiles: new Map(),
      links: new Map(),
      failed: new Set<string>(),
      copied: Promise.resolve(cleared).catch(() => undefined)
    }
    this.#copies.set(name, copy)
    return copy
  }

  /** Creates a folder, and records it before it gets any files. */
  #create(name: string, content: WorkspaceContent): string {
    this.#contents.set(name, content)
    const folder = this.folder(name)
    this.#writeManifest()
    return folder
  }

  #writeManifest(): void {
    writeManifest(this.#folder, this.#contents)
  }

  /** Copies changes after the current copy operation. */
  async #enqueueCopy(copy: CopiedWorkspace): Promise<void> {
    const copying = copy.copied.then(async () => this.#copyChanges(copy))
    copy.copied = copying.catch(() => undefined)
    await copying
  }

  /**
   * What is gone goes first: a link that became a folder would lead what is copied into the folder of the user. What cannot
   * be copied is reported, and tried again with the next change.
   */
  async #copyChanges(copy: CopiedWorkspace): Promise<void> {
    const {source, folder, sourceFiles, files} = copy
    const links = new Map<string, string>()
    // a link to a folder may point to a parent: its target is linked, not copied
    const link = async (path: string): Promise<void> => void links.set(path, await realpath(join(source, path)))
    const unreadable = new Set<string>()
    const unread = (path: string, error: unknown): void => {
      unreadable.add(path)
      this.#notCopied(copy, path, error)
    }
    const now = new Map(await fingerprintsIn(source, {linked: link, unreadable: unread}))
    // what cannot be looked at stays as it was copied
    const isUnread = (path: string): boolean => [...unreadable].some(each => each === '' || path.startsWith(each + sep))
    for (const [path, target] of copy.links) if (!links.has(path) && isUnread(path)) links.set(path, target)
    for (const [path, before] of sourceFiles) if (!now.has(path) && isUnread(path)) now.set(path, before)
    for (const name of SHARED)
      if ((await stat(join(source, name)).catch(() => undefined))?.isDirectory() === true)
        links.set(name, join(source, name))
    for (const path of copy.links.keys()) if (!links.has(path)) await removeFrom(folder, path)
    for (const path of sourceFiles.keys()) if (!now.has(path) && !isDatabase(path)) await removeFrom(folder, path)
    const folders = new Set<string>()
    const placeOf = async (path: string): Promise<string> => {
      const above = dirname(path)
      if (!folders.has(above)) await clearFolder(folder, above)
      folders.add(above)
      return join(folder, path)
    }
    for (const [path, target] of links)
      await this.#attempt(copy, path, async () => {
        const place = await placeOf(path)
        if ((await readlink(place).catch(() => '')) === target) return
        await rm(place, {recursive: true, force: true})
        await symlink(target, place)
      })
    let hasChanged = false
    for (const [path, fingerprint] of now) {
      const before = sourceFiles.get(path)
      if (before === fingerprint || (before !== undefined && isDatabase(path))) continue
      const isCopied = await this.#attempt(copy, path, async () => {
        const place = await placeOf(path)
        if (!(await isFile(place))) await rm(place, {recursive: true, force: true})
        await cp(join(source, path), place, {preserveTimestamps: true, dereference: true})
        files.set(path, fingerprintOf(await stat(place)))
      })
      if (!isCopied) now.delete(path)
      hasChanged = true
    }
    Object.assign(copy, {links, sourceFiles: now})
    if (hasChanged) this.#writeManifest()
  }

  /** False: it failed. */
  async #attempt(copy: CopiedWorkspace, path: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      copy.failed.delete(path)
      return true
    } catch (error) {
      this.#notCopied(copy, path, error)
      return false
    }
  }

  /** Reported once. What was removed meanwhile is a change that is yet to come. */
  #notCopied({source, failed}: CopiedWorkspace, path: string, error: unknown): void {
    if (codeOf(error) === 'ENOENT' || failed.has(path)) return
    failed.add(path)
    this.#reporter.warn('not-copied', `${join(source, path)} is not in the copy of its folder: ${messageOf(error)}`)
  }
}

const nameOf = ({id, version, instance}: AppPlan): string => instanceName(`${id}_${version}`, instance)

/** Returns whether a path is a file itself, not a link to one. */
const isFile = async (path: string): Promise<boolean> => (await lstat(path).catch(() => undefined))?.isFile() === true

/** Makes a folder in a copy. All above it are real ones then: what is in their way, as a link, is removed. */
async function clearFolder(folder: string, path: string): Promise<void> {
  let above = folder
  for (const part of path.split(sep)) {
    above = join(above, part)
    if ((await lstat(above).catch(() => undefined))?.isDirectory() === false) await rm(above, {force: true})
  }
  makeFolder(above)
}

/** Removes a file or a link from a copy, with the folders that are empty then. What lies behind a link stays. */
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
