import {tmpdir} from 'node:os'
import {isShortage, messageOf} from '../../model/errors.ts'
import type {Exit} from '../../model/app-state.ts'
import {closePipes, makePipes, type ProcessPipes} from '../../platform/pipes.ts'
import {openSoon} from '../../platform/delay.ts'
import {withDeadline} from '../reload/deadline.ts'
import type {ProcessPlace} from './app-process.ts'
import type {ProcessTerminal} from './app-terminal.ts'

export type ProcessStdio = ProcessPipes | ProcessTerminal

export const dropStdio = (stdio: ProcessStdio): void => ('lines' in stdio ? stdio.drop() : closePipes(stdio))

/** Creates the pipes of `count` first processes; empty: that has failed, so that each app creates its own pipes and reports the error. */
export const preparePipes = async (count: number): Promise<readonly ProcessPipes[]> =>
  makePipes(count).catch((): ProcessPipes[] => [])

/** Time in which the creation of pipes is retried, in ms: a shortage of file descriptors usually passes. */
const TRIED_MS = 10_000

/** Creates the pipes of one process, or returns the error. `over`: aborted when they are no longer needed. */
export async function processPipes(over: AbortSignal): Promise<ProcessPipes | Exit> {
  try {
    const made = await withDeadline({ms: TRIED_MS, over}, async late => openSoon(async () => makePipes(1), late))
    const [pipes] = made ?? (await makePipes(1))
    if (pipes === undefined) throw new Error('a process has one set of pipes')
    return pipes
  } catch (error) {
    const ofFolder = `is there a folder ${tmpdir()} that you may write to? TMPDIR names another one`
    const advice = isShortage(error) ? 'raise the limit (ulimit -n)' : ofFolder
    return {kind: 'spawn-error', message: `cannot create pipes for its output: ${messageOf(error)}; ${advice}`}
  }
}

/** Returns the prepared options, or an exit with the error, such as that of a full disk. */
export async function placeOrExit(prepare: () => Promise<ProcessPlace>): Promise<ProcessPlace | Exit> {
  try {
    return await prepare()
  } catch (error) {
    return {kind: 'spawn-error', message: messageOf(error)}
  }
}
