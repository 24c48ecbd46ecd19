import type {Environment} from '../model/environment.ts'
import {ownOf} from '../model/own.ts'
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

/** Returns those of the names that a run asks for which another living run in the folder `runs` has. */
export function takenNames(runs: string, wanted: Readonly<Record<string, string>> = {}): readonly TakenName[] {
  const names = Object.entries(wanted)
  const others = names.length === 0 ? [] : livingRunsIn(runs).filter(({pid}) => pid !== process.pid)
  return names.flatMap(([name, wantedBy]) => {
    const owner = ownerAmong(others, name)
    return owner === undefined ? [] : [{...owner, wantedBy}]
  })
}

/** The host names of a run's apps. A name that another run has is lost until that run ends. */
export class OwnNames {
  /** The id of the app that is to have each name. */
  wanted: ReadonlyMap<string, string> = new Map()
  lost: ReadonlySet<string> = new Set()

  /** The names that the run has, with their apps. */
  get all(): readonly (readonly [string, string])[] {
    return [...this.wanted].filter(([name]) => !this.lost.has(name))
  }

  /** Takes the names whose runs have ended since. Returns whether there are any. */
  takeFree(runs: string): boolean {
    const before = this.lost
    const asked = Object.fromEntries([...this.wanted].filter(([name]) => before.has(name)))
    this.lost = new Set(takenNames(runs, asked).map(({name}) => name))
    return this.lost.size < before.size
  }
}

/** The run of this user that has a host name; undefined: none has. */
export const ownerOfName = (env: Environment, name: string): RunName | undefined => ownerAmong(livingRuns(env), name)

function ownerAmong(runs: readonly LivingRun[], name: string): RunName | undefined {
  const run = runs.find(({names = {}}) => ownOf(names, name) !== undefined)
  return run && {name, app: ownOf(run.names ?? {}, name) ?? '', run}
}
