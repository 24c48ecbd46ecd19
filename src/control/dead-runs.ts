import {readdirSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {connect} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Environment} from '../model/environment.ts'
import {codeOf} from '../model/errors.ts'
import {livingRun, readRunFile, readSpared, type RunFile, type RunIdentity} from './run-file.ts'
import {existingFolders, runtimeFolders} from './folder.ts'

/** A run whose process was killed. */
export interface DeadRun extends RunFile {
  /** Values of `PILLION_LIFE`: processes with one of these markers must not be killed. */
  readonly spared: readonly string[]
  /** Removes what is left of the run's folder. */
  readonly forget: () => Promise<void>
}

/** How the names of folders of trials (`import --check`) begin, among temporary files. */
export const TRIAL_PREFIX = 'pillion-check-'

export const isTrial = (name: string): boolean => name.startsWith(TRIAL_PREFIX)

/** The time between two checks: a run that is about to listen refuses connections, too. */
const BETWEEN_REFUSALS_MS = 1000

/**
 * All runs of the user that are certainly dead: their sockets refused a connection twice, one second apart, and they ran
 * in the current boot and pid namespace. Returns at once if there is none.
 */
export async function findDead(env: Environment): Promise<readonly DeadRun[]> {
  const suspects = await refusing(foldersOfRuns(env).filter(path => readRunFile(path) !== undefined))
  if (suspects.length === 0) return []
  await pause(BETWEEN_REFUSALS_MS)
  return (await refusing(suspects)).flatMap(path => {
    const runFile = readRunFile(path) // its watchdog may have cleaned up in the meantime
    const forget = async (): Promise<void> => rm(path, {recursive: true, force: true})
    return runFile === undefined ? [] : [{...runFile, spared: readSpared(path), forget}]
  })
}

/** The runs whose processes are gone, and their folders not: what they started may still be ending. */
export const killedRuns = (env: Environment): readonly RunIdentity[] =>
  foldersOfRuns(env).flatMap(path => {
    const identity = readRunFile(path)?.identity
    return identity === undefined || livingRun(path) !== undefined ? [] : [identity]
  })

const foldersOfRuns = (env: Environment): readonly string[] =>
  existingFolders(runtimeFolders(env), () => undefined).flatMap(folder =>
    readdirSync(folder).map(name => join(folder, name))
  )

async function refusing(folders: readonly string[]): Promise<readonly string[]> {
  const results = await Promise.all(folders.map(refuses))
  return folders.filter((_, index) => results[index])
}

/** A run that was killed before its socket was renamed refuses connections at the first name. */
async function refuses(folder: string): Promise<boolean> {
  for (const name of ['socket', 'new']) {
    const fault = await faultOf(join(folder, name))
    if (fault !== 'ENOENT') return fault === 'ECONNREFUSED'
  }
  return false
}

/** The error code of a connection attempt; '' if it succeeds. */
const faultOf = async (path: string): Promise<string> =>
  new Promise(resolve => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve('')
    })
    socket.once('error', error => resolve(codeOf(error)))
  })
