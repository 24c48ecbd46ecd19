import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {existingFolders, runtimeFolders} from './folder.ts'
import {livingRun, type RunIdentity} from './run-file.ts'

/** A run and the folder where it registered. */
export interface LivingRun extends RunIdentity {
  /** The folder of its socket. */
  readonly home: string
}

/** The runs of the user whose processes exist. Sends them no request. Throws a UserError if no runtime folder is usable. */
export const livingRuns = (env: Environment): readonly LivingRun[] =>
  existingFolders(runtimeFolders(env), () => undefined).flatMap(livingRunsIn)

/** The living runs that registered in a folder. */
export const livingRunsIn = (runs: string): readonly LivingRun[] =>
  readdirSync(runs).flatMap(name => {
    const run = livingRun(join(runs, name)) // files are skipped
    return run === undefined ? [] : [{...run, home: join(runs, name)}]
  })
