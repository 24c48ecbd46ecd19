import {readdirSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {isShortage, UserError} from '../model/errors.ts'
import {shortHash} from '../model/fnv1a.ts'
import type {Plan} from '../model/plan.ts'
import {linksResolved, templateIdentity} from '../platform/paths.ts'
import {stateFolder} from '../platform/state-folder.ts'

/**
 * How long workflows, jobs and reminders last. `forgotten` (`--forget`): the run begins with an empty file. `brief` (`up --run`): in memory,
 * unless `PILLION_WORK` is `file`; the run reports unfinished work at its end. `trial` (`import --check`): in memory, with the keys of the
 * built-in Redis. Omitted: the file outlives the run.
 */
export type WorkMode = 'forgotten' | 'brief' | 'trial'

export interface WorkPathOptions {
  /** The environment of our own process. */
  readonly env: Environment
  readonly plan: Plan
  readonly workMode?: WorkMode | undefined
}

/**
 * Returns the path of the work file; undefined: work stays in memory. The file name follows from the template's real path, its name, and
 * the copy's name (`--name`); for a single app, from its folder and id. Throws a UserError if `PILLION_WORK` is misspelt.
 */
export function workPath({env, plan, workMode}: WorkPathOptions): string | undefined {
  if (!isKept({env, workMode})) return undefined
  const {name, copy, apps} = plan
  const file = plan.file === '' ? '' : templateIdentity(plan.file)
  const [first] = apps
  const of = file === '' ? [first?.folder, first?.id] : [file, name]
  const identity = copy === undefined ? of : [...of, copy]
  return join(stateFolder(env), `${beginningOf(plan)}${shortHash(identity.join('\0'))}.db`)
}

/** Returns the readable start of the file name. A template's apps are not part of it, since an edit may change them. */
function beginningOf({name, file, apps: [first]}: Plan): string {
  const shown = name || (file === '' ? (first?.id ?? '') : basename(dirname(linksResolved(file))))
  return `work-${shown.replaceAll(/[^\w.-]/g, '_').slice(0, 40)}-`
}

/** Whether an earlier run may have left a work file; false: certainly none. */
export function mayBeKept({env, plan}: Pick<WorkPathOptions, 'env' | 'plan'>): boolean {
  try {
    const beginning = beginningOf(plan)
    return readdirSync(stateFolder(env)).some(name => name.startsWith(beginning))
  } catch (error) {
    return isShortage(error)
  }
}

/** Returns the folder of the notes, each of which maps a work file to the folder of its template. */
export const notesFolder = (env: Environment): string => join(stateFolder(env), 'folders')

/** Whether the work of a run is kept in a file. Throws a UserError if `PILLION_WORK` is misspelt. */
export function isKept({env, workMode}: Omit<WorkPathOptions, 'plan'>): boolean {
  const {PILLION_WORK: mode = ''} = env
  if (!['', 'memory', 'file'].includes(mode))
    throw new UserError(`PILLION_WORK is "${mode}": it can be "memory" (keep nothing) or "file"`)
  return mode !== 'memory' && workMode !== 'trial' && (mode !== '' || workMode !== 'brief')
}
