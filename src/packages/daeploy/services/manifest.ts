import {lstatSync, mkdtempSync, readFileSync, renameSync, writeFileSync, type Stats} from 'node:fs'
import {tmpdir} from 'node:os'
import {makeFolder} from '../../../platform/make-folder.ts'
import {isSameStart, lookAgain, startOf, currentSystem, type SystemIdentity} from '../../../platform/process-table.ts'
import {readdir, rm, stat} from 'node:fs/promises'
import {join, relative} from 'node:path'
import {codeOf, messageOf} from '../../../model/errors.ts'
import type {Reporter} from '../../../model/reporter.ts'

/** Size and modification time of files, by path below a folder. */
export type Fingerprints = ReadonlyMap<string, string>

/** Files of tools and of Daeploy's SDK: not copied, and not counted as changes of the user. */
const IGNORED = /^(?:\.dapr|\.git|__pycache__|service(?:_copy)?_db\.db(?:-journal)?)$/
/** A database, which is copied once: its service writes it, and not the user. */
const DATABASE = /\.(?:db|sqlite3?)(?:-(?:journal|wal|shm))?$/
/** Large, and the same in all copies: symbolic links to them are created. */
const SHARED: ReadonlySet<string> = new Set(['.venv', 'node_modules'])
/** Workspaces of a run inside a service's folder, which are not copied: otherwise each copy would contain all earlier ones. */
const OF_A_RUN = /\/pillion\/[\da-f]{32}$/

export const isDatabase = (path: string): boolean => DATABASE.test(path)

/** Entries below a folder besides files, by their relative paths. */
export interface Met {
  /** A link to a folder, or a folder that all copies share. */
  readonly linked?: (path: string) => Promise<void>
  /** Called for a folder without copied content. */
  readonly empty?: (path: string) => void
  /** Called for a folder that cannot be read: it belongs to another user, or was removed. */
  readonly unreadable?: (path: string, error: unknown) => void
}

/** Size and modification time of every file below a folder. */
export async function fingerprintsIn(folder: string, {linked, empty, unreadable}: Met = {}): Promise<Fingerprints> {
  const fingerprints = new Map<string, string>()
  const look = async (place: string): Promise<void> => {
    try {
      await lookInto(place)
    } catch (error) {
      unreadable?.(relative(folder, place), error)
    }
  }
  const lookInto = async (place: string): Promise<void> => {
    const names = (await readdir(place, {withFileTypes: true})).filter(({name}) => !IGNORED.test(name))
    if (names.length === 0) empty?.(relative(folder, place))
    const all = await Promise.all(names.map(async ({name}) => statOf(join(place, name))))
    for (const [index, entry] of names.entries()) {
      const stats = all[index]
      const path = join(place, entry.name)
      const isShared = entry.isSymbolicLink() || SHARED.has(entry.name)
      if (stats?.isFile() === true) fingerprints.set(relative(folder, path), fingerprintOf(stats))
      else if (stats?.isDirectory() !== true || OF_A_RUN.test(path)) continue
      else await (isShared ? linked?.(relative(folder, path)) : look(path))
    }
  }
  await look(folder)
  return fingerprints
}

/** Reads the state of a file. Resolves with undefined if it is gone, or a broken or circular link. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return undefined
    throw error
  }
}

export const fingerprintOf = ({size, mtimeMs}: Stats): string => `${size} ${mtimeMs}`

/** The content of a workspace when it was created. */
export interface WorkspaceContent {
  /** The original files: a difference was made by a user. */
  readonly files: Fingerprints
  /** Whether the service was deployed, as into a container: then new files are removed with it. */
  readonly isDeployed: boolean
}

/** Description of a run's workspaces, so that another run can clean up after a kill. */
export interface WorkspaceManifest extends SystemIdentity {
  readonly pid: number
  /** As `Seen.started`. */
  readonly started: number
  readonly workspaces: ReadonlyMap<string, WorkspaceContent>
}

/** Its file name in the folder of a run; names of workspaces contain an underscore. */
export const MANIFEST = 'ledger.json'

/** Creates the folder of a run's workspaces, in the system's temporary folder if it cannot be written or is full; returns its path. */
export function openWorkspacesFolder(folder: string): string {
  try {
    makeFolder(folder, 0o700)
    return folder
  } catch {
    return mkdtempSync(join(tmpdir(), 'pillion-'))
  }
}

/** Writes the state of this run's workspaces, by name, atomically. */
export function writeManifest(folder: string, workspaces: ReadonlyMap<string, WorkspaceContent>): void {
  const named = [...workspaces].map(([name, {files, isDeployed}]) => [
    name,
    {isDeployed, files: Object.fromEntries(files)}
  ])
  const us = {...currentSystem(), pid: process.pid, started: startOf(process.pid)}
  const path = join(folder, MANIFEST)
  makeFolder(folder, 0o700) // users clear their cache folder at any time
  writeFileSync(`${path}.new`, JSON.stringify({...us, copies: Object.fromEntries(named) as unknown}))
  renameSync(`${path}.new`, path)
}

/** Reads the description of a run. Undefined if it is missing or invalid. */
export function readManifest(folder: string): WorkspaceManifest | undefined {
  try {
    const {copies, ...us} = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Written
    if (typeof copies !== 'object' || typeof us.pid !== 'number') return undefined
    const named = Object.entries(copies).map(
      ([name, {files, isDeployed}]) => [name, {isDeployed, files: new Map(Object.entries(files))}] as const
    )
    return {...us, workspaces: new Map(named)}
  } catch {
    return undefined // from another version, or removed just now
  }
}

/** The JSON form: objects instead of maps. */
interface Written extends Omit<WorkspaceManifest, 'workspaces'> {
  readonly copies: Readonly<
    Record<string, {readonly files: Readonly<Record<string, string>>; readonly isDeployed: boolean}>
  >
}

/** Whether the run that wrote it is certainly dead: it ran in this boot and pid namespace, and its process does not exist. */
export async function isDead({boot, pids, pid, started}: WorkspaceManifest): Promise<boolean> {
  const here = currentSystem()
  if (boot !== here.boot || pids !== here.pids) return false
  const now = await lookAgain(pid)
  return now === undefined || !isSameStart(now.started, started)
}

/** Whether a file of a workspace was changed by a user. */
async function isChanged(folder: string, {files, isDeployed}: WorkspaceContent): Promise<boolean> {
  if (lstatSync(folder, {throwIfNoEntry: false})?.isDirectory() !== true) return false
  return [...(await fingerprintsIn(folder))].some(([path, fingerprint]) => {
    const original = files.get(path)
    return original !== fingerprint && !isDatabase(path) && !(isDeployed && original === undefined)
  })
}

/** The names of the workspaces in which a user changed a file, in order. */
export async function changedIn(
  folder: string,
  workspaces: Iterable<readonly [name: string, content: WorkspaceContent]>
): Promise<readonly string[]> {
  const names: string[] = []
  for (const [name, content] of workspaces) if (await isChanged(join(folder, name), content)) names.push(name)
  return names
}

/**
 * Removes the workspaces of a run except these. Reports and keeps entries of other users, or with a mode that forbids it. Removes the
 * description last, so that another run can continue after a kill.
 */
export async function removeAllBut(
  kept: readonly string[],
  folder: string,
  reporter: Pick<Reporter, 'warn'>
): Promise<void> {
  let isEmpty = kept.length === 0
  for (const name of await readdir(folder).catch(() => [])) {
    if (name === MANIFEST || kept.includes(name)) continue
    const path = join(folder, name)
    try {
      await rm(path, {recursive: true, force: true})
    } catch (error) {
      isEmpty = false
      reporter.warn('workspace-kept', `${path} cannot be removed: ${messageOf(error)}`)
    }
  }
  await rm(isEmpty ? folder : join(folder, MANIFEST), {recursive: true, force: true})
}
