import {mkdtempSync} from 'node:fs'
import {cp, readdir, realpath, rm, stat, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import type {Environment} from '../../../model/environment.ts'
import {codeOf, messageOf} from '../../../model/errors.ts'
import type {AppPlan} from '../../../model/plan.ts'
import {
  changedIn,
  workspacesFolder,
  MANIFEST,
  writeManifest,
  SHARED,
  fingerprintOf,
  fingerprintsIn,
  type WorkspaceContent,
  type Fingerprints
} from './manifest.ts'
import {makeFolder} from '../../../platform/make-folder.ts'

interface CopiedWorkspace extends WorkspaceContent {
  readonly source: string
  readonly folder: string
  /** The source files when they were copied. */
  sourceFiles: Fingerprints
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
  /** All folders that services run in, by name. */
  readonly #contents = new Map<string, WorkspaceContent>()
  #folder = ''

  constructor(env: Environment, run: string) {
    this.#home = join(workspacesFolder(env), run)
  }

  /** A folder of the run, created on first use below the user's cache folder, or below the system's temporary folder if that is not writable. */
  folder(name: string): string {
    if (this.#folder === '') {
      this.#folder = this.#make()
      this.#writeManifest()
    }
    const folder = join(this.#folder, name)
    makeFolder(folder)
    return folder
  }

  /** Creates a workspace for every Daeploy service except the first one of each folder. Settles when all are copied. */
  async open(apps: readonly AppPlan[]): Promise<void> {
    const taken = new Set<string>()
    for (const app of apps.filter(({fixedPort}) => fixedPort > 0)) {
      const source = await realpath(app.folder)
      if (taken.has(source)) await this.#copy(nameOf(app), source)
      taken.add(source)
    }
  }

  /** The folder in which an app runs: its own, or a workspace updated with all changes of its source. Files of the service stay. */
  async folderOf(app: AppPlan): Promise<string> {
    const copy = this.#copies.get(nameOf(app))
    if (copy === undefined) return app.folder
    // a file may be removed while it is copied: that change triggers the next copy
    await this.#enqueueCopy(copy).catch(() => undefined)
    return copy.folder
  }

  /** Unpacks a deployed archive into a new folder; that of an earlier deployment is removed. */
  async unpack(name: string, archive: string): Promise<string> {
    await this.drop(name)
    const folder = this.#create(name, {files: new Map(), isDeployed: true})
    try {
      const {unpackArchive} = await import('../archive.ts')
      await unpackArchive(archive, folder)
    } catch (error) {
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
    this.#contents.delete(name)
    await rm(join(this.#folder, name), {recursive: true, force: true})
  }

  /** Removes all workspaces except those in which a user changed files; returns their paths. */
  async close(): Promise<readonly string[]> {
    if (this.#folder === '') return []
    await Promise.all([...this.#copies.values()].map(async ({copied}) => copied))
    const kept = await changedIn(this.#folder, this.#contents)
    for (const name of await readdir(this.#folder))
      if (name !== MANIFEST && !kept.includes(name)) await rm(join(this.#folder, name), {recursive: true, force: true})
    // removed last: if we are killed before, another run continues
    await rm(kept.length === 0 ? this.#folder : join(this.#folder, MANIFEST), {recursive: true, force: true})
    return kept.map(name => join(this.#folder, name))
  }

  #make(): string {
    try {
      makeFolder(this.#home, 0o700)
      return this.#home
    } catch (error) {
      if (!['EACCES', 'EROFS', 'ENOTDIR', 'EPERM', 'ENOENT'].includes(codeOf(error))) throw error
      return mkdtempSync(join(tmpdir(), 'pillion-'))
    }
  }

  async #copy(name: string, source: string): Promise<void> {
    const files = new Map<string, string>()
    const folder = this.#create(name, {files, isDeployed: false})
    const copy = {source, folder, sourceFiles: new Map(), files, isDeployed: false, copied: Promise.resolve()}
    this.#copies.set(name, copy)
    await this.#enqueueCopy(copy)
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

  async #copyChanges(copy: CopiedWorkspace): Promise<void> {
    const {source, folder, sourceFiles, files} = copy
    for (const name of SHARED) await link(join(source, name), join(folder, name))
    // a link to a folder may point to a parent: its target is linked, not copied
    const now = await fingerprintsIn(source, async path => link(await realpath(join(source, path)), join(folder, path)))
    const changed = [...now].filter(([path, fingerprint]) => sourceFiles.get(path) !== fingerprint)
    for (const [path] of changed) {
      await cp(join(source, path), join(folder, path), {preserveTimestamps: true, dereference: true})
      files.set(path, fingerprintOf(await stat(join(folder, path))))
    }
    for (const path of sourceFiles.keys()) if (!now.has(path)) await rm(join(folder, path), {force: true})
    copy.sourceFiles = now
    if (changed.length > 0) this.#writeManifest()
  }
}

const nameOf = ({id, version}: AppPlan): string => `${id}_${version}`

/** Creates a link to an existing folder. */
async function link(source: string, place: string): Promise<void> {
  try {
    if (!(await stat(source)).isDirectory()) return
    makeFolder(dirname(place))
    await symlink(source, place)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  }
}
