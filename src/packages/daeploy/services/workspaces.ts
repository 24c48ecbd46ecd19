import {existsSync, realpathSync, renameSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import type {Environment} from '../../../model/environment.ts'
import {messageOf} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {instanceName, type AppPlan} from '../../../model/plan.ts'
import type {Reporter} from '../../../model/reporter.ts'
import {
  changedIn,
  fingerprintsIn,
  MANIFEST,
  openWorkspacesFolder,
  removeAllBut,
  writeManifest,
  type WorkspaceContent
} from './manifest.ts'
import {makeFolder} from '../../../platform/make-folder.ts'
import {randomHex} from '../../../platform/random.ts'
import {cacheFolder} from '../../../platform/state-folder.ts'
import type {CopiedWorkspace} from './copy-workspace.ts'

/**
 * The workspaces of a run: copies for services that would share a folder (each has a database there, and deletes it), folders of deployed services,
 * and files of Pillion. The end of the run removes them, except workspaces in which a user has changed a file.
 */
export class Workspaces {
  readonly #home: string
  readonly #copies = new Map<string, CopiedWorkspace>()
  /** Service that runs in a source folder itself, by folder. All other services of the folder run in copies. */
  readonly #owners = new Map<string, string>()
  /** Content of each workspace at its creation, by name. */
  readonly #contents = new Map<string, WorkspaceContent>()
  #folder = ''
  /** Settles when no archive is being unpacked. */
  #unpacked: Promise<unknown> = Promise.resolve()
  /** Aborted at the end of the run. */
  readonly #closing = new AbortController()

  readonly #reporter: Pick<Reporter, 'warn'>
  readonly #over: AbortSignal | undefined

  /** `over`: aborted when a stop of the run is requested, which ends copying. */
  constructor(env: Environment, run: string, reporter: Pick<Reporter, 'warn'>, over?: AbortSignal) {
    this.#reporter = reporter
    this.#over = over
    this.#home = join(cacheFolder(env), run)
  }

  /**
   * Returns a folder of the run, and creates it if it is missing: below the user's cache folder, which users may clear at any time, or below the
   * system's temporary folder if that is not writable.
   */
  folder(name: string): string {
    this.#folder = openWorkspacesFolder(this.#folder || this.#home)
    if (!existsSync(join(this.#folder, MANIFEST))) this.#writeManifest()
    const folder = join(this.#folder, name)
    makeFolder(folder)
    return folder
  }

  /** Chooses the folders of all services of a template: the first service of a folder runs there, the others in copies. Creates the copies. */
  async open(apps: readonly AppPlan[]): Promise<void> {
    for (const app of apps) await this.folderOf(app)
  }

  /**
   * Returns the folder in which an app runs: its own, or a copy if another Daeploy service runs there. Updates the copy with changes of its source,
   * and keeps files of the service in it.
   */
  async folderOf(app: AppPlan): Promise<string> {
    const {fixedPort, folder} = app
    if (fixedPort === 0) return folder
    const name = nameOf(app)
    const source = sourceOf(app)
    let copy = this.#copies.get(name)
    if (copy?.source !== source || (!this.#closing.signal.aborted && !existsSync(copy.folder))) {
      const owner = this.#owners.get(source) ?? name
      this.#owners.set(source, owner)
      if (owner === name) return folder
      copy = this.#copy(name, source)
    }
    copy.copied = this.#copyChanges(copy).catch((error: unknown) => this.#reporter.warn('not-copied', messageOf(error)))
    await copy.copied
    return copy.folder
  }

  /** Notes the apps of the run. The folder of an app that has left or moved is free for another one. */
  keepOnly(apps: readonly AppPlan[]): void {
    const kept = new Set(apps.map(app => `${nameOf(app)} ${sourceOf(app)}`))
    for (const [source, owner] of this.#owners) if (!kept.has(`${owner} ${source}`)) this.#owners.delete(source)
  }

  /** Unpacks a deployed archive to a new folder, and removes the folder of an earlier deployment. Leaves no files after a failure. */
  async unpack(name: string, archive: string): Promise<string> {
    this.#closing.signal.throwIfAborted()
    const unpacking = this.#unpack(name, archive)
    this.#unpacked = Promise.allSettled([this.#unpacked, unpacking])
    return unpacking
  }

  async #unpack(name: string, archive: string): Promise<string> {
    await this.#setAside(name)
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

  /** Keeps a replaced workspace under another name if the user has changed it. */
  async #setAside(name: string, content = this.#contents.get(name)): Promise<void> {
    if (content === undefined || (await changedIn(this.#folder, [[name, content]])).length === 0) return
    const kept = `${name}_${randomHex(4)}`
    renameSync(join(this.#folder, name), join(this.#folder, kept))
    this.#contents.set(kept, content)
    this.#writeManifest()
  }

  async drop(name: string): Promise<void> {
    if (this.#folder === '') return
    await this.#copies.get(name)?.copied
    this.#copies.delete(name)
    // removes the folder before the manifest is written, since it may have filled the disk
    await rm(join(this.#folder, name), {recursive: true, force: true})
    if (this.#contents.delete(name)) this.#writeManifest()
  }

  /** Removes the workspace of a deployed service, unless the user has changed a file in it. */
  async dropUnchanged(name: string): Promise<void> {
    const content = this.#contents.get(name)
    if (content?.isDeployed !== true) return
    const changed = await changedIn(this.#folder, [[name, content]])
    if (changed.length === 0) await this.drop(name)
  }

  /** Removes all workspaces except those in which a user has changed files, whose paths it returns. */
  async close(): Promise<readonly string[]> {
    this.#closing.abort(new Error('the run ends'))
    await this.#unpacked
    if (this.#folder === '') return []
    await Promise.all([...this.#copies.values()].map(async ({copied}) => copied))
    const kept = await changedIn(this.#folder, this.#contents)
    await removeAllBut(kept, this.#folder, this.#reporter)
    return kept.map(name => join(this.#folder, name))
  }

  /** Creates the copy of a folder. Replaces a copy of the folder that the app had before an edit. */
  #copy(name: string, source: string): CopiedWorkspace {
    const before = this.#copies.get(name)
    const files = new Map<string, string>()
    const folder = this.#create(name, {files, isDeployed: false})
    const clear = async (): Promise<void> => {
      if (before === undefined) return
      await before.copied
      await this.#setAside(name, before)
      await rm(before.folder, {recursive: true, force: true})
      makeFolder(folder) // the new copy uses the same path
    }
    const copy = {
      source,
      folder,
      files,
      isDeployed: false,
      sourceFiles: new Map(),
      links: new Map(),
      failed: new Set<string>(),
      copied: clear().catch(() => undefined)
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

  /** Copies changes, after the current copy operation. */
  async #copyChanges(copy: CopiedWorkspace): Promise<void> {
    await copy.copied
    const {copyChanges} = await import('./copy-workspace.ts')
    if (await copyChanges(copy, this.#reporter, this.#over)) this.#writeManifest()
  }
}

const sourceOf = ({folder}: AppPlan): string => orElse(() => realpathSync(folder), folder)

const nameOf = ({id, version, instance}: AppPlan): string => instanceName(`${id}_${version}`, instance)
