import {accessSync, constants, existsSync, opendirSync, statfsSync, statSync} from 'node:fs'
import {dirname} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {messageOf} from '../../model/errors.ts'
import type {Plan} from '../../model/plan.ts'
import {stateFolder} from '../../platform/state-folder.ts'
import {isKept, workPath} from '../../work/work-path.ts'
import {fail, note, ok, type Check} from './check.ts'

/** Checks whether workflows can be kept in a file, unless memory is chosen. Creates nothing. */
export function checkState(env: Environment): readonly Check[] {
  if (!isKept({env})) return []
  const folder = stateFolder(env)
  let existing = folder
  while (!existsSync(existing)) existing = dirname(existing)
  try {
    opendirSync(existing).closeSync() // a path that is not a folder throws
    accessSync(existing, constants.W_OK | constants.X_OK)
    if (statfsSync(existing).bavail === 0) throw new Error('the disk is full')
    return [ok(`workflows, jobs and reminders outlive a run in ${folder}`)]
  } catch (error) {
    return [
      fail(
        `workflows, jobs, reminders and the keys of the built-in Redis would end with their run, as ${folder} cannot be written: ${messageOf(error)}`,
        'Set HOME, or XDG_STATE_HOME, to a folder that you can write.'
      )
    ]
  }
}

/** Reports the file of a template's workflows and its size; nothing if there is none. */
export function checkWork(plan: Plan, env: Environment): readonly Check[] {
  const path = workPath({env, plan})
  if (path === undefined || !existsSync(path)) return []
  // changes are written ahead into a second file
  const bytes = [path, `${path}-wal`].reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0)
  return [
    note(
      `workflows of this template lie in ${path} (${sizeText(bytes)})`,
      'pillion workflow purge --all-older-than 720h removes what is over; pillion run -f . --forget begins with an empty file.'
    )
  ]
}

/** `12 KB`, `3.4 MB`. */
export const sizeText = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3).toString()} KB` : `${(bytes / 1e6).toFixed(1)} MB`
