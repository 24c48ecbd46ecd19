import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {codeOf} from '../model/errors.ts'
import {systemClock} from '../platform/clock.ts'
import {pause} from '../platform/delay.ts'
import {isSamePath} from '../platform/paths.ts'
import {isSameStart, startOf} from '../platform/process-table.ts'
import {existingFolders, runtimeFolders, usableFolder} from './folder.ts'
import {livingRuns} from './living-runs.ts'
import type {RunIdentity} from './run-file.ts'
import {oneByOne} from './run-name.ts'

/** Files in the runtime folder, each of a process that is about to register a run (`register` removes it); the rest of the name is its pid. */
const STARTING = 'starting-'
const SLOW_MS = 10_000
const LOOK_MS = 20

/**
 * The user's runs, and those that are about to be: of copies that start in the same instant each but the first sees another one. From now on
 * they see this one.
 */
export async function announceStart(env: Environment, own: RunIdentity): Promise<readonly RunIdentity[]> {
  const folder = usableFolder(runtimeFolders(env))
  const file = join(folder, STARTING + own.pid)
  return oneByOne(folder, async () => {
    const living = livingRuns(env)
    const pids = new Set([own.pid, ...living.map(({pid}) => pid)])
    // one that has no apps yet copies its files still
    const starting = startingIn(folder).filter(({pid, appIds}) => !pids.has(pid) && appIds.length > 0)
    writeFileSync(file, JSON.stringify(own), {mode: 0o600})
    process.once('exit', () => rmSync(file, {force: true}))
    return Promise.resolve([...living, ...starting])
  })
}

/** Ends what is about to be a run of the template at `file`, as Ctrl-C does. `onSlow` is called with its pid if that takes longer than 10 s. False: there is none. */
export async function endStarting(env: Environment, file: string, onSlow: (pid: number) => void): Promise<boolean> {
  const folders = existingFolders(runtimeFolders(env), () => undefined)
  const meant = folders.flatMap(startingIn).filter(({templateFile}) => isSamePath(templateFile, file))
  await Promise.all(
    meant.map(async ({pid, started}) => {
      interrupt(pid)
      const callOff = systemClock.after(SLOW_MS, () => onSlow(pid))
      while (isSameStart(startOf(pid), started)) await pause(LOOK_MS)
      callOff()
    })
  )
  return meant.length > 0
}

/** Does nothing if it has ended by now. */
function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT')
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

function startingIn(folder: string): readonly RunIdentity[] {
  return readdirSync(folder).flatMap(name => {
    if (!name.startsWith(STARTING)) return []
    const file = join(folder, name)
    const run = read(file)
    if (run !== undefined && isSameStart(startOf(run.pid), run.started)) return [run]
    rmSync(file, {force: true}) // it was killed
    return []
  })
}

function read(file: string): RunIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunIdentity
  } catch {
    return undefined // it has ended, or was killed while it wrote
  }
}
