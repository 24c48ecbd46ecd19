import type {Environment} from '../model/environment.ts'
import {emptyRecord, ownOf} from '../model/own.ts'
import {livingRuns, livingRunsIn, type LivingRun} from './living-runs.ts'

/** A host name of an app of a run. */
export interface RunName {
  readonly name: string
  readonly app: string
  readonly run: LivingRun
}

/** A name that this run asked for, and the run that has it. */
export interface TakenName extends RunName {
  /** The app of this run that was to have it. */
  readonly wantedBy: string
}

/** Divides the names that a run asks for into those that no other living run in the folder `runs` has, and the others. */
export function freeNames(
  runs: string,
  wanted: Readonly<Record<string, string>> = {}
): {readonly free: Readonly<Record<string, string>>; readonly taken: readonly TakenName[]} {
  const free = emptyRecord<string>()
  const taken: TakenName[] = []
  const others = Object.keys(wanted).length === 0 ? [] : livingRunsIn(runs).filter(({pid}) => pid !== process.pid)
  for (const [name, wantedBy] of Object.entries(wanted)) {
    const owner = ownerAmong(others, name)
    if (owner === undefined) free[name] = wantedBy
    else taken.push({...owner, wantedBy})
  }
  return {free, taken}
}

/** The run of this user that has a host name; undefined: none has. */
export const ownerOfName = (env: Environment, name: string): RunName | undefined => ownerAmong(livingRuns(env), name)

function ownerAmong(runs: readonly LivingRun[], name: string): RunName | undefined {
  const run = runs.find(({names = {}}) => ownOf(names, name) !== undefined)
  return run && {name, app: ownOf(run.names ?? {}, name) ?? '', run}
}
