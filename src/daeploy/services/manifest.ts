import {lstatSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'
import {currentSystem, type SystemIdentity} from '../../control/run-file.ts'
import {lookAgain, startOf} from '../../platform/process-table.ts'
import {fingerprintsIn, type Fingerprints} from './fingerprints.ts'

/** What was put into a folder that a service runs in. */
export interface Made {
  /** The files as they were made: what differs from these was changed by somebody. */
  readonly files: Fingerprints
  /** It was deployed, as into a container: files that are new there are the service's, and go with it. */
  readonly isDeployed: boolean
}

/** What a run writes beside its copies, so that another one can tidy up should it be killed. */
interface Manifest extends SystemIdentity {
  readonly pid: number
  /** As `Seen.started`. */
  readonly started: number
  readonly copies: ReadonlyMap<string, Made>
}

/** Its name in the folder of a run; names of copies have an underscore. */
export const MANIFEST = 'ledger.json'

/** The folders of all runs of the user. */
export const workspacesFolder = (env: Readonly<Record<string, string | undefined>>): string =>
  join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'pillion')

/** Writes what is known of the copies of this run, by their names; whoever reads it meanwhile sees the old one or the new one. */
export function writeManifest(folder: string, copies: ReadonlyMap<string, Made>): void {
  const named = [...copies].map(([name, {files, isDeployed}]) => [name, {isDeployed, files: Object.fromEntries(files)}])
  const us = {...currentSystem(), pid: process.pid, started: startOf(process.pid)}
  const path = join(folder, MANIFEST)
  writeFileSync(`${path}.new`, JSON.stringify({...us, copies: Object.fromEntries(named) as unknown}))
  renameSync(`${path}.new`, path)
}

/** Undefined where there is none, or none that is understood: nothing is certain then. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    const {copies, ...us} = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Written
    if (typeof copies !== 'object' || typeof us.pid !== 'number') return undefined
    const named = Object.entries(copies).map(
      ([name, {files, isDeployed}]) => [name, {isDeployed, files: new Map(Object.entries(files))}] as const
    )
    return {...us, copies: new Map(named)}
  } catch {
    return undefined // of another version, or removed just now
  }
}

/** As it stands in the file: maps are objects. */
interface Written extends Omit<Manifest, 'copies'> {
  readonly copies: Readonly<
    Record<string, {readonly files: Readonly<Record<string, string>>; readonly isDeployed: boolean}>
  >
}

/** Whether the run that wrote it is surely gone: it ran on this boot and in this pid namespace, and its process is not there. */
export async function isDead({boot, pids, pid, started}: Manifest): Promise<boolean> {
  const here = currentSystem()
  if (boot !== here.boot || pids !== here.pids) return false
  const now = await lookAgain(pid)
  // elsewhere the system tells a start less exactly than we wrote it
  return now === undefined || (process.platform === 'linux' && now.started !== started)
}

/** Whether somebody changed a file of a copy. */
async function isChanged(folder: string, {files, isDeployed}: Made): Promise<boolean> {
  if (lstatSync(folder, {throwIfNoEntry: false})?.isDirectory() !== true) return false
  return [...(await fingerprintsIn(folder))].some(([path, fingerprint]) => {
    const made = files.get(path)
    return made !== fingerprint && !(isDeployed && made === undefined)
  })
}

/** The names of the copies in which somebody changed a file, in their order. */
export async function changedIn(
  folder: string,
  copies: Iterable<readonly [name: string, made: Made]>
): Promise<readonly string[]> {
  const names: string[] = []
  for (const [name, made] of copies) if (await isChanged(join(folder, name), made)) names.push(name)
  return names
}
