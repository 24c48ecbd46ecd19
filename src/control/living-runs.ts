import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {existingFolders, runtimeFolders} from './folder.ts'
import {livingRun, type RunIdentity} from './run-file.ts'

/** The runs of the user whose processes are there. Nothing is asked of them. Throws a UserError if no runtime folder is usable. */
export const livingRuns = (env: Readonly<Record<string, string | undefined>>): readonly RunIdentity[] =>
  existingFolders(runtimeFolders(env), () => undefined).flatMap(livingRunsIn)

/** Those that registered in a folder. */
export const livingRunsIn = (runs: string): readonly RunIdentity[] =>
  readdirSync(runs, {withFileTypes: true}).flatMap(entry =>
    entry.isDirectory() ? (livingRun(join(runs, entry.name)) ?? []) : []
  )
