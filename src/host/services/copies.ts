import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  type Stats
} from 'node:fs'
import {chmod, mkdir, rm, symlink, writeFile} from 'node:fs/promises'
import {homedir, tmpdir} from 'node:os'
import {dirname, join, relative} from 'node:path'
import type {TarEntry} from '../../daeploy/tar.ts'
import {codeOf} from '../../errors.ts'
import type {AppPlan} from '../../plan.ts'

/** Not copied, and no change of the user's. */
const IGNORED = /^(?:\.dapr|\.git|__pycache__|.*\.db|.*\.db-journal)$/
/** Large, and the same for all: a link leads to them. */
const SHARED = new Set(['.venv', 'node_modules'])

type Shell = Readonly<Record<string, string | undefined>>

interface WorkingCopy {
  readonly source: string
  readonly folder: string
  /** Size and time of each file of the source when it was copied, by its path. */
  seen: ReadonlyMap<string, string>
  /** The same of the copied files: times may be rounded on the way. */
  readonly made: Map<string, string>
}

/**
 * Folders of a run: working copies for services that would share one (each writes a database there, and deletes it), those
 * that were deployed, and files of ours. They are removed with the run; a copy in which somebody changed a file stays.
 */
export class Copies {
  readonly #home: string
  readonly #copies = new Map<string, WorkingCopy>()
  #folder = ''

  constructor(shell: Shell, run: string) {
    const cache = shell['XDG_CACHE_HOME'] || join(shell['HOME'] || homedir(), '.cache')
    this.#home = join(cache, 'pillion', run)
  }

  /** A folder of the run below its home, made when it is first asked for; below the system's where there is no home to write in. */
  folder(name: string): string {
    if (this.#folder === '') this.#folder = this.#make()
    const folder = join(this.#folder, name)
    mkdirSync(folder, {recursive: true})
    return folder
  }

  /** Gives every Daeploy service but the first of a folder a copy to run in. Settles when all are made. */
  open(apps: readonly AppPlan[]): void {
    const taken = new Set<string>()
    for (const app of apps.filter(({fixedPort}) => fixedPort > 0)) {
      const source = realpathSync(app.folder)
      if (taken.has(source)) {
        const copy = {source, folder: this.folder(nameOf(app)), seen: new Map(), made: new Map()}
        this.#copies.set(nameOf(app), copy)
        this.#fill(copy)
      }
      taken.add(source)
    }
  }

  /** Where an app runs: its own folder, or a copy of it that has every change of now. What the service wrote stays. */
  folderOf(app: AppPlan): string {
    const copy = this.#copies.get(nameOf(app))
    if (copy === undefined) return app.folder
    try {
      this.#fill(copy)
    } catch {
      // a file went away under our hands: its next change brings the next copy
    }
    return copy.folder
  }

  /** Unpacks what was deployed into a folder of its own, which must not be there. */
  async unpack(name: string, entries: readonly TarEntry[]): Promise<string> {
    const folder = this.folder(name)
    for (const {path, kind, bytes, isExecutable, leadsTo} of entries) {
      const place = join(folder, path)
      await mkdir(kind === 'folder' ? place : dirname(place), {recursive: true})
      if (kind === 'file') {
        // a link that stands there already is not to be written through
        await rm(place, {force: true})
        await writeFile(place, bytes, {flag: 'wx'})
      }
      if (kind === 'file' && isExecutable) await chmod(place, 0o755)
      if (kind === 'link') await symlink(leadsTo, place)
    }
    return folder
  }

  async drop(name: string): Promise<void> {
    await rm(join(this.#folder, name), {recursive: true, force: true})
  }

  /** Removes all but the copies in which files were changed; gives these. */
  close(): readonly string[] {
    if (this.#folder === '') return []
    const kept = [...this.#copies.values()].filter(isChanged).map(({folder}) => folder)
    for (const name of readdirSync(this.#folder)) {
      const folder = join(this.#folder, name)
      if (!kept.includes(folder)) rmSync(folder, {recursive: true, force: true})
    }
    if (kept.length === 0) rmSync(this.#folder, {recursive: true, force: true})
    return kept
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

  #fill(copy: WorkingCopy): void {
    const {source, folder, seen, made} = copy
    for (const name of SHARED) link(join(source, name), join(folder, name))
    // a link to a folder may lead back up: what it leads to is not copied
    const now = stampsIn(source, path => link(realpathSync(join(source, path)), join(folder, path)))
    for (const [path, stamp] of now) {
      if (seen.get(path) === stamp) continue
      cpSync(join(source, path), join(folder, path), {preserveTimestamps: true, dereference: true})
      made.set(path, stampOf(statSync(join(folder, path))))
    }
    for (const path of seen.keys()) if (!now.has(path)) rmSync(join(folder, path), {force: true})
    copy.seen = now
  }
}

const nameOf = ({id, version}: AppPlan): string => `${id}_${version}`

/** A link to what is there. */
function link(source: string, place: string): void {
  try {
    if (!statSync(source).isDirectory()) return
    mkdirSync(dirname(place), {recursive: true})
    symlinkSync(source, place)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  }
}

/** Size and time of every file below a folder; links to folders are told to `linked`. */
function stampsIn(folder: string, linked: (path: string) => void = () => undefined): ReadonlyMap<string, string> {
  const stamps = new Map<string, string>()
  const look = (place: string): void => {
    for (const {name} of readdirSync(place, {withFileTypes: true})) {
      if (IGNORED.test(name) || SHARED.has(name)) continue
      const path = join(place, name)
      const stat = statSync(path, {throwIfNoEntry: false})
      if (stat?.isDirectory() === true && lstatSync(path).isSymbolicLink()) linked(relative(folder, path))
      else if (stat?.isDirectory() === true) look(path)
      else if (stat?.isFile() === true) stamps.set(relative(folder, path), stampOf(stat))
    }
  }
  look(folder)
  return stamps
}

const stampOf = ({size, mtimeMs}: Stats): string => `${size.toString()} ${mtimeMs.toString()}`

const isChanged = ({folder, made}: WorkingCopy): boolean =>
  [...stampsIn(folder)].some(([path, stamp]) => made.get(path) !== stamp)
