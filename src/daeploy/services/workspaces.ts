import {mkdirSync, mkdtempSync} from 'node:fs'
import {cp, mkdir, readdir, realpath, rm, stat, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {unpackArchive} from '../archive.ts'
import {codeOf, messageOf} from '../../model/errors.ts'
import type {AppPlan} from '../../model/plan.ts'
import {changedIn, workspacesFolder, MANIFEST, writeManifest, type Made} from './manifest.ts'
import {SHARED, fingerprintOf, fingerprintsIn, type Fingerprints} from './fingerprints.ts'

type Shell = Readonly<Record<string, string | undefined>>

interface WorkingCopy extends Made {
  readonly source: string
  readonly folder: string
  /** Of the source, when it was copied. */
  seen: Fingerprints
  /** Of the copied files, which may differ: times are rounded on the way. */
  readonly files: Map<string, string>
  /** The last filling, of which one waits for the other; it never fails. */
  filled: Promise<void>
}

/**
 * Folders of a run: working copies for services that would share one (each writes a database there, and deletes it), those
 * that were deployed, and files of ours. They are removed with the run; a copy in which somebody changed a file stays.
 */
export class Workspaces {
  readonly #home: string
  readonly #copies = new Map<string, WorkingCopy>()
  /** All that services run in, by their names. */
  readonly #made = new Map<string, Made>()
  #folder = ''

  constructor(shell: Shell, run: string) {
    this.#home = join(workspacesFolder(shell), run)
  }

  /** A folder of the run below its home, made when it is first asked for; below the system's where there is no home to write in. */
  folder(name: string): string {
    if (this.#folder === '') {
      this.#folder = this.#make()
      this.#note()
    }
    const folder = join(this.#folder, name)
    mkdirSync(folder, {recursive: true})
    return folder
  }

  /** Gives every Daeploy service but the first of a folder a copy to run in. Settles when all are made. */
  async open(apps: readonly AppPlan[]): Promise<void> {
    const taken = new Set<string>()
    for (const app of apps.filter(({fixedPort}) => fixedPort > 0)) {
      const source = await realpath(app.folder)
      if (taken.has(source)) await this.#copy(nameOf(app), source)
      taken.add(source)
    }
  }

  /** Where an app runs: its own folder, or a copy of it that has every change of now. What the service wrote stays. */
  async folderOf(app: AppPlan): Promise<string> {
    const copy = this.#copies.get(nameOf(app))
    if (copy === undefined) return app.folder
    // a file may go away under our hands: its next change brings the next copy
    await this.#fillNext(copy).catch(() => undefined)
    return copy.folder
  }

  /** Unpacks what was deployed into a folder of its own; one of that name is an earlier deployment's, and goes. */
  async unpack(name: string, archive: string): Promise<string> {
    await this.drop(name)
    const folder = this.#begin(name, {files: new Map(), isDeployed: true})
    try {
      await unpackArchive(archive, folder)
    } catch (error) {
      throw new Error(`The archive cannot be unpacked: ${messageOf(error)}`, {cause: error})
    }
    this.#made.set(name, {files: await fingerprintsIn(folder), isDeployed: true})
    this.#note()
    return folder
  }

  async drop(name: string): Promise<void> {
    if (this.#folder === '') return
    await this.#copies.get(name)?.filled
    this.#copies.delete(name)
    this.#made.delete(name)
    await rm(join(this.#folder, name), {recursive: true, force: true})
  }

  /** Removes all but the copies in which files were changed; gives these. */
  async close(): Promise<readonly string[]> {
    if (this.#folder === '') return []
    await Promise.all([...this.#copies.values()].map(async ({filled}) => filled))
    const kept = await changedIn(this.#folder, this.#made)
    for (const name of await readdir(this.#folder))
      if (name !== MANIFEST && !kept.includes(name)) await rm(join(this.#folder, name), {recursive: true, force: true})
    // the last to go: should we be killed here, another run goes on
    await rm(kept.length === 0 ? this.#folder : join(this.#folder, MANIFEST), {recursive: true, force: true})
    return kept.map(name => join(this.#folder, name))
  }

  #make(): string {
    try {
      mkdirSync(this.#home, {recursive: true, mode: 0o700})
      return this.#home
    } catch (error) {
      if (!['EACCES', 'EROFS', 'ENOTDIR', 'EPERM', 'ENOENT'].includes(codeOf(error))) throw error
      return mkdtempSync(join(tmpdir(), 'pillion-'))
    }
  }

  async #copy(name: string, source: string): Promise<void> {
    const files = new Map<string, string>()
    const folder = this.#begin(name, {files, isDeployed: false})
    const copy = {source, folder, seen: new Map(), files, isDeployed: false, filled: Promise.resolve()}
    this.#copies.set(name, copy)
    await this.#fillNext(copy)
  }

  /** A folder that is noted before anything is in it. */
  #begin(name: string, made: Made): string {
    this.#made.set(name, made)
    const folder = this.folder(name)
    this.#note()
    return folder
  }

  #note(): void {
    writeManifest(this.#folder, this.#made)
  }

  /** Fills a copy after whoever fills it now. */
  async #fillNext(copy: WorkingCopy): Promise<void> {
    const filling = copy.filled.then(async () => this.#fill(copy))
    copy.filled = filling.catch(() => undefined)
    await filling
  }

  async #fill(copy: WorkingCopy): Promise<void> {
    const {source, folder, seen, files} = copy
    for (const name of SHARED) await link(join(source, name), join(folder, name))
    // a link to a folder may lead back up: what it leads to is not copied
    const now = await fingerprintsIn(source, async path => link(await realpath(join(source, path)), join(folder, path)))
    const changed = [...now].filter(([path, fingerprint]) => seen.get(path) !== fingerprint)
    for (const [path] of changed) {
      await cp(join(source, path), join(folder, path), {preserveTimestamps: true, dereference: true})
      files.set(path, fingerprintOf(await stat(join(folder, path))))
    }
    for (const path of seen.keys()) if (!now.has(path)) await rm(join(folder, path), {force: true})
    copy.seen = now
    if (changed.length > 0) this.#note()
  }
}

const nameOf = ({id, version}: AppPlan): string => `${id}_${version}`

/** A link to what is there. */
async function link(source: string, place: string): Promise<void> {
  try {
    if (!(await stat(source)).isDirectory()) return
    await mkdir(dirname(place), {recursive: true})
    await symlink(source, place)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  }
}
