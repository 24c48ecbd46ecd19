import type {Environment} from '../model/environment.ts'
import {ownOf} from '../model/own.ts'
import {livingRuns, livingRunsIn, type LivingRun} from './living-runs.ts'

/** A host name of an app of a run. */
export interface RunName {
  readonly name: string
  readonly app: string
  readonly run: LivingRun
}

/** A name that this run wants, and the run that has it. */
export interface TakenName extends RunName {
  /** The app of this run for which the name was wanted. */
  readonly wantedBy: string
}

/** Returns the wanted names that another living run in the folder `runs` has. */
export function takenNames(runs: string, wanted: Readonly<Record<string, string>> = {}): readonly TakenName[] {
  const names = Object.entries(wanted)
  const others = names.length === 0 ? [] : livingRunsIn(runs).filter(({pid}) => pid !== process.pid)
  return names.flatMap(([name, wantedBy]) => {
    const owner = ownerAmong(others, name)
    return owner === undefined ? [] : [{...owner, wantedBy}]
  })
}

/** The host names of a run's apps. Another run may have some of the wanted names until it ends. */
export class OwnNames {
  /** The id of the app for each name that the run wants. */
  wanted: ReadonlyMap<string, string> = new Map()
  /** Wanted names that other runs have. */
  taken: ReadonlySet<string> = new Set()

  /** The names that the run has, with their apps. */
  get all(): readonly (readonly [string, string])[] {
    return [...this.wanted].filter(([name]) => !this.taken.has(name))
  }

  /** Claims the taken names whose runs have ended since. Returns whether there are any. */
  claimFreed(runs: string): boolean {
    const before = this.taken
    const asked = Object.fromEntries([...this.wanted].filter(([name]) => before.has(name)))
    this.taken = new Set(takenNames(runs, asked).map(({name}) => name))
    return this.taken.size < before.size
  }
}

/** The run of this user that has a host name; undefined: none has. */
export const ownerOfName = (env: Environment, name: string): RunName | undefined => ownerAmong(livingRuns(env), name)

function ownerAmong(runs: readonly LivingRun[], name: string): RunName | undefined {
  const run = runs.find(({names = {}}) => ownOf(names, name) !== undefined)
  return run && {name, app: ownOf(run.names ?? {}, name) ?? '', run}
}
