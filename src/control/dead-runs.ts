import {once} from 'node:events'
import {rm} from 'node:fs/promises'
import {connect} from 'node:net'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Environment} from '../model/environment.ts'
import {codeOf} from '../model/errors.ts'
import {readRunFile, readSpared, type RunFile} from './run-file.ts'
import {runSockets} from './ask.ts'

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

/** Whether the file of a run could be read. A run without a readable file is left alone. */
export const isComplete = (run?: RunFile): boolean => run !== undefined

/**
 * Returns the runs of the user that `isAsked` selects and that are certainly dead: their sockets refused a connection twice, one second
 * apart, and they ran in the current boot and pid namespace. Returns at once if there is none.
 */
export async function findDead(env: Environment, isAsked = isComplete): Promise<readonly DeadRun[]> {
  const homes = (await runSockets(env)).map(({path}) => dirname(path))
  const suspects = await refusing(homes.filter(home => isAsked(readRunFile(home))))
  if (suspects.length > 0) await pause(BETWEEN_REFUSALS_MS)
  return (await refusing(suspects)).flatMap(path => {
    const runFile = readRunFile(path) // its watchdog may have cleaned up in the meantime
    const forget = async (): Promise<void> => rm(path, {recursive: true, force: true})
    return runFile === undefined ? [] : [{...runFile, spared: readSpared(path), forget}]
  })
}

async function refusing(folders: readonly string[]): Promise<readonly string[]> {
  const results = await Promise.all(folders.map(refuses))
  return folders.filter((_, index) => results[index])
}

/** Whether the socket of a run refuses connections. A run that was killed before it renamed its socket has it under the first name, `new`. */
async function refuses(folder: string): Promise<boolean> {
  const fault = await faultOf(join(folder, 'socket'))
  return (fault === 'ENOENT' ? await faultOf(join(folder, 'new')) : fault) === 'ECONNREFUSED'
}

/** The error code of a connection attempt; '' if it succeeds. */
async function faultOf(path: string): Promise<string> {
  const socket = connect(path)
  return once(socket, 'connect')
    .then(() => '', codeOf)
    .finally(() => socket.destroy())
}
