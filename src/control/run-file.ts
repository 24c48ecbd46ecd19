import {appendFileSync, readFileSync} from 'node:fs'
import {rename, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {messageOf, UserError} from '../model/errors.ts'
import {orElse} from '../model/or-else.ts'
import {makeFolder} from '../platform/make-folder.ts'
import {systemText} from '../platform/paths.ts'
import {isSameStart, startOf, currentSystem, type SystemIdentity} from '../platform/process-table.ts'

/** Facts about a run for other runs in case it is killed; stored in the folder of its socket. */
export interface RunFile {
  /** 128 random bits, hex: the marker of every process and folder of the run. */
  readonly marker: string
  /** Time in ms from SIGTERM to SIGKILL for its remaining processes. */
  readonly graceMs: number
  /** Identifies the run while it cannot respond; missing in the files of older versions. */
  readonly identity?: RunIdentity
}

/** The flags of a run as typed, and a hash of each part of its template. Another `up` compares itself with them. */
export interface AskedRun {
  readonly flags: readonly string[]
  /** Hashes by app, and by top-level key. Omitted: the template is not read yet. */
  readonly parts?: Readonly<Record<string, string>>
}

/** The process of a run, its template and its apps. */
export interface RunIdentity {
  readonly pid: number
  /** The name of the run for commands. */
  readonly name: string
  /** The copy's name (`--name`); '': it has none. */
  readonly copy: string
  /** Start of the process in the system's own unit (`Seen.started`). With the pid it identifies the process. */
  readonly started: number
  /** Path of the template; empty for a single app. */
  readonly templateFile: string
  readonly appIds: readonly string[]
  /** Name of the project; missing if its apps have no names. */
  readonly project?: string
  /** The host names of its apps, each with the id of its app, if there are any. */
  readonly names?: Readonly<Record<string, string>>
  /** Ports of the entrance, if the run has it. */
  readonly entrance?: readonly number[]
  /** Ports of the template at which the run answers in place of a copy that has ended, if any. */
  readonly takenOver?: readonly number[]
  /** Flags and template of the command that started the run; missing for a single app, or a run of an older version. */
  readonly asked?: AskedRun | undefined
}

const FILE = 'about'
const SPARED = 'spared'

/** Writes the file of a run. Rejects with a UserError if that fails, for example on a full disk. */
export async function writeRunFile(home: string, about: RunFile): Promise<void> {
  const text = JSON.stringify({...about, ...currentSystem()})
  try {
    makeFolder(home, 0o700)
    await writeFile(join(home, `${FILE}.new`), text)
    await rename(join(home, `${FILE}.new`), join(home, FILE)) // others never read half of it
  } catch (cause) {
    throw new UserError(`the run cannot be registered in ${home}: ${messageOf(cause)}`, {
      explanation: 'Free space there, or set PILLION_RUNTIME_DIR to another folder.',
      code: 'folder',
      cause
    })
  }
}

/** Reads the file of a run. Undefined if it is incomplete, or the processes of the run are not visible: from an earlier boot, another machine or another pid namespace. */
export function readRunFile(home: string): RunFile | undefined {
  try {
    const {marker, graceMs, identity, ...where} = JSON.parse(readFileSync(join(home, FILE), 'utf8')) as RunFile &
      SystemIdentity
    const here = currentSystem()
    const isHere = where.boot === here.boot && where.pids === here.pids
    return isHere && /^[0-9a-f]{32}$/.test(marker) ? {marker, graceMs, ...(identity && {identity})} : undefined
  } catch {
    return undefined // incomplete, or of another version: the run is left alone
  }
}

/** The run that registered in this folder; undefined if its process has ended, or the system does not tell. */
export function livingRun(home: string): RunIdentity | undefined {
  const identity = readRunFile(home)?.identity
  return identity !== undefined && isSameStart(startOf(identity.pid), identity.started) ? identity : undefined
}

/**
 * Records that processes that left the group of this app process (the value of `PILLION_LIFE`) must not be killed. Records nothing if the
 * folder is gone, or the disk full: only the next run reads it, if this one and its watchdog are killed.
 */
export const noteSpared = (home: string, marker: string): void =>
  orElse(() => appendFileSync(join(home, SPARED), `${marker}\n`), undefined)

export const readSpared = (home: string): readonly string[] =>
  systemText(join(home, SPARED)).split('\n').filter(Boolean)
