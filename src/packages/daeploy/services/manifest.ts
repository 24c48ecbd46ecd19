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

/** Matches files of tools and of Daeploy's SDK, which are not copied and do not count as changes of the user. */
const IGNORED = /^(?:\.dapr|\.git|__pycache__|service(?:_copy)?_db\.db(?:-journal)?)$/
/** Matches a database, which is copied once, since its service changes it and not the user. */
const DATABASE = /\.(?:db|sqlite3?)(?:-(?:journal|wal|shm))?$/
/** Large folders that are equal in all copies, which get symbolic links to them. */
const SHARED: ReadonlySet<string> = new Set(['.venv', 'node_modules'])
/** Matches workspaces of a run inside a service's folder, which are not copied: each copy would contain all earlier ones. */
const OF_A_RUN = /\/pillion\/[\da-f]{32}$/

export const isDatabase = (path: string): boolean => DATABASE.test(path)

/** Functions for entries below a folder besides files. Each gets the relative path. */
export interface Met {
  /** Called for a link to a folder, or a folder that all copies share. */
  readonly linked?: (path: string) => Promise<void>
  /** Called for a folder without copied content. */
  readonly empty?: (path: string) => void
  /** Called for a folder that cannot be read, since it belongs to another user or was removed. */
  readonly unreadable?: (path: string, error: unknown) => void
}

/** Returns size and modification time of every file below a folder. */
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

/** Reads the state of a file; undefined: it is gone, or a broken or circular link. */
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
  /** Fingerprints of the original files. A difference shows a change by a user. */
  readonly files: Fingerprints
  /** Whether the service was deployed, as to a container, so that its new files are removed with it. */
  readonly isDeployed: boolean
}

/** The description of a run's workspaces, by which another run can remove them if the run was killed. */
export interface WorkspaceManifest extends SystemIdentity {
  readonly pid: number
  /** Start of the process, as `Seen.started`. */
  readonly started: number
  readonly workspaces: ReadonlyMap<string, WorkspaceContent>
}

/** File name of the manifest in the folder of a run. Names of workspaces contain an underscore, so that none is equal. */
export const MANIFEST = 'ledger.json'

/** Creates the folder of a run's workspaces, or one in the system's temporary folder if that fails. Returns its path. */
export function openWorkspacesFolder(folder: string): string {
  try {
    makeFolder(folder, 0o700)
    return folder
  } catch {
    return mkdtempSync(join(tmpdir(), 'pillion-'))
  }
}

/** Writes the manifest of this run atomically. `workspaces`: by name. */
export function writeManifest(folder: string, workspaces: ReadonlyMap<string, WorkspaceContent>): void {
  const named = [...workspaces].map(([name, {files, isDeployed}]) => [
    name,
    {isDeployed, files: Object.fromEntries(files)}
  ])
  const us = {...currentSystem(), pid: process.pid, started: startOf(process.pid)}
  const path = join(folder, MANIFEST)
  makeFolder(folder, 0o700) // users may clear their cache folder at any time
  writeFileSync(`${path}.new`, JSON.stringify({...us, copies: Object.fromEntries(named) as unknown}))
  renameSync(`${path}.new`, path)
}

/** Reads the manifest of a run; undefined: missing or invalid. */
export function readManifest(folder: string): WorkspaceManifest | undefined {
  try {
    const {copies, ...us} = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Written
    if (typeof copies !== 'object' || typeof us.pid !== 'number') return undefined
    const named = Object.entries(copies).map(
      ([name, {files, isDeployed}]) => [name, {isDeployed, files: new Map(Object.entries(files))}] as const
    )
    return {...us, workspaces: new Map(named)}
  } catch {
    return undefined // another version has written it, or it was removed just now
  }
}

/** The manifest in JSON, with objects instead of maps. */
interface Written extends Omit<WorkspaceManifest, 'workspaces'> {
  readonly copies: Readonly<
    Record<string, {readonly files: Readonly<Record<string, string>>; readonly isDeployed: boolean}>
  >
}

/** Resolves with whether the run is certainly dead: it ran in this boot and pid namespace, and its process does not exist. */
export async function isDead({boot, pids, pid, started}: WorkspaceManifest): Promise<boolean> {
  const here = currentSystem()
  if (boot !== here.boot || pids !== here.pids) return false
  const now = await lookAgain(pid)
  return now === undefined || !isSameStart(now.started, started)
}

/** Resolves with whether a user has changed a file of a workspace. */
async function isChanged(folder: string, {files, isDeployed}: WorkspaceContent): Promise<boolean> {
  if (lstatSync(folder, {throwIfNoEntry: false})?.isDirectory() !== true) return false
  return [...(await fingerprintsIn(folder))].some(([path, fingerprint]) => {
    const original = files.get(path)
    return original !== fingerprint && !isDatabase(path) && !(isDeployed && original === undefined)
  })
}

/** Returns the names of the workspaces in which a user has changed a file, in order. */
export async function changedIn(
  folder: string,
  workspaces: Iterable<readonly [name: string, content: WorkspaceContent]>
): Promise<readonly string[]> {
  const names: string[] = []
  for (const [name, content] of workspaces) if (await isChanged(join(folder, name), content)) names.push(name)
  return names
}

/**
 * Removes the workspaces of a run except `kept`. Reports entries that cannot be removed. Removes the manifest last, so that another run can
 * continue if this one is killed.
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
