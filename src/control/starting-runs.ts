import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {orElse} from '../model/or-else.ts'
import {systemClock} from '../platform/clock.ts'
import {pause} from '../platform/delay.ts'
import {isSameStart, isSuspended, startOf} from '../platform/process-table.ts'
import {existingFolders, runtimeFolders, usableFolder} from './folder.ts'
import {livingRuns} from './living-runs.ts'
import type {RunIdentity} from './run-file.ts'
import {oneByOne, wordOf} from './run-name.ts'

/** Files in the runtime folder, each of a process that is about to register a run (`register` removes it); the rest of the name is its pid. */
const STARTING = 'starting-'
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** The file of this process and its text; undefined before it is written. */
let announced: {readonly file: string; readonly own: StartingRun} | undefined
const SLOW_MS = 10_000
const LOOK_MS = 20

/** A run that is about to register. */
export interface StartingRun extends RunIdentity {
  /** Clause about the preparation of its worktree, such as `its setup runs`; missing if there is none now. */
  readonly preparing?: string | undefined
}

/** This process, as others see it before its run has a name. */
export const ownStart = (templateFile: string, copy = '', appIds: readonly string[] = []): RunIdentity => ({
  pid: process.pid,
  name: copy || wordOf(basename(dirname(templateFile))),
  copy,
  started: startOf(process.pid),
  templateFile,
  appIds
})

/** The user's other runs, and starting runs. */
interface OtherRuns {
  readonly living: readonly RunIdentity[]
  /** Runs whose apps are not known yet. */
  readonly starting: readonly StartingRun[]
}

/** Returns the user's living and starting runs, and makes this run visible to them unless it yields. Of runs that start together, all but the first see another. */
export async function announceStart(
  env: Environment,
  own: RunIdentity,
  yields: (others: OtherRuns) => boolean = () => false
): Promise<OtherRuns> {
  const folder = usableFolder(runtimeFolders(env))
  const file = join(folder, STARTING + own.pid)
  return oneByOne(folder, async () => {
    const living = livingRuns(env)
    const pids = new Set([own.pid, ...living.map(({pid}) => pid)])
    const others = {living, starting: startingIn(folder).filter(({pid}) => !pids.has(pid))}
    if (yields(others)) return Promise.resolve(others)
    if (announced === undefined) atEnd(() => rmSync(file, {force: true}))
    announced = {file, own: {...announced?.own, ...own}}
    writeFileSync(file, JSON.stringify(announced.own), {mode: 0o600})
    return Promise.resolve(others)
  })
}

/** Does a step that prepares the worktree of this start. Meanwhile other starts can read the clause `preparing`. */
export async function whilePreparing<T>(preparing: string, work: () => Promise<T>): Promise<T> {
  const {file, own} = announced ?? {}
  if (file !== undefined) writeFileSync(file, JSON.stringify({...own, preparing}))
  try {
    return await work()
  } finally {
    if (file !== undefined) writeFileSync(file, JSON.stringify(own))
  }
}

/** Calls `work` once when the process ends, also by a signal without another listener. */
function atEnd(work: () => void): void {
  process.once('exit', work)
  for (const signal of ENDING) {
    const end = (): void => {
      if (process.listenerCount(signal) > 1) return
      work()
      process.off(signal, end).kill(process.pid, signal)
    }
    process.on(signal, end)
  }
}

/** The user's processes that are about to be runs. */
export const startingRuns = (env: Environment): readonly StartingRun[] =>
  existingFolders(runtimeFolders(env), () => undefined).flatMap(startingIn)

/** Ends starting and silent runs by SIGHUP, as a closing terminal does. Calls `onSlow` with a pid after 10 s. Resolves with false if there are none. */
export async function endBySignal(meant: readonly RunIdentity[], onSlow: (pid: number) => void): Promise<boolean> {
  await Promise.all(
    meant.map(async ({pid, started}) => {
      if (isSameStart(startOf(pid), started)) interrupt(pid) // else another process has its pid by now
      const callOff = systemClock.after(SLOW_MS, () => onSlow(pid))
      while (isSameStart(startOf(pid), started)) await pause(LOOK_MS)
      callOff()
    })
  )
  return meant.length > 0
}

/** Interrupts a process unless it has ended. Continues a process that Ctrl-Z has stopped, so that it takes the signal. */
const interrupt = (pid: number): boolean =>
  orElse(() => process.kill(pid, 'SIGHUP') && (!isSuspended(pid) || process.kill(pid, 'SIGCONT')), false)

function startingIn(folder: string): readonly StartingRun[] {
  return readdirSync(folder).flatMap(name => {
    if (!name.startsWith(STARTING)) return []
    const file = join(folder, name)
    // the process has ended, or has not written the file yet
    const run = orElse(() => JSON.parse(readFileSync(file, 'utf8')) as StartingRun, undefined)
    if (run !== undefined && isSameStart(startOf(run.pid), run.started)) return [run]
    // a process that is still running is about to write its run
    if (run !== undefined || startOf(Number(name.slice(STARTING.length))) === 0) rmSync(file, {force: true})
    return []
  })
}
