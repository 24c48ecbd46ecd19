import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {isSameStart, startOf} from '../platform/process-table.ts'
import {runtimeFolders, usableFolder} from './folder.ts'
import {livingRuns} from './living-runs.ts'
import type {RunIdentity} from './run-file.ts'
import {oneByOne} from './run-name.ts'

/** Files in the runtime folder, each of a process that is about to start a run; the rest of the name is its pid. */
const PREFIX = 'starting-'

/**
 * The user's runs, and those that are about to be: of copies that start in the same instant each but the first sees another one. From now on
 * they see this one.
 */
export async function announceStart(env: Environment, own: RunIdentity): Promise<readonly RunIdentity[]> {
  const folder = usableFolder(runtimeFolders(env))
  const file = join(folder, `${PREFIX}${own.pid}`)
  return oneByOne(folder, async () => {
    const living = livingRuns(env)
    const pids = new Set([own.pid, ...living.map(({pid}) => pid)])
    const starting = startingIn(folder).filter(({pid}) => !pids.has(pid))
    writeFileSync(file, JSON.stringify(own), {mode: 0o600})
    process.once('exit', () => rmSync(file, {force: true}))
    return Promise.resolve([...living, ...starting])
  })
}

function startingIn(folder: string): readonly RunIdentity[] {
  return readdirSync(folder).flatMap(name => {
    if (!name.startsWith(PREFIX)) return []
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
