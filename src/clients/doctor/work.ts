import {accessSync, constants, existsSync, opendirSync, statfsSync, statSync} from 'node:fs'
import {dirname} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {messageOf} from '../../model/errors.ts'
import type {Plan} from '../../model/plan.ts'
import {stateFolder} from '../../platform/state-folder.ts'
import {isKept, workPath} from '../../work/work-path.ts'
import {fail, note, ok, type Check} from './check.ts'
import {
  FORGOTTEN_AFTER_MS,
  rememberedSpaces,
  spacesFolder,
  type RememberedSpace
} from '../../control/remembered-spaces.ts'

/** Checks whether a run can keep workflows in a file, unless the user chose memory (`PILLION_WORK`). Creates nothing. */
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
  // SQLite writes changes into a second file first
  const bytes = [path, `${path}-wal`].reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0)
  return [
    note(
      `workflows of this template lie in ${path} (${sizeText(bytes)})`,
      'pillion workflow purge --all-older-than 720h removes what is over; pillion run -f . --forget begins with an empty file.'
    )
  ]
}

/** Formats a size: `12 KB`, `3.4 MB`. */
export const sizeText = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3).toString()} KB` : `${(bytes / 1e6).toFixed(1)} MB`

const DAY_MS = 86_400_000
/** Maximum number of reported copies: more would hide other findings. */
const MAX_SHOWN = 20

/** Lists the copies of templates that have data of their own, the last used one first. Returns an empty list without such copies. */
export function checkCopies(env: Environment, now = Date.now()): readonly Check[] {
  const all = rememberedSpaces(env)
  if (all.length === 0) return []
  const shown = all.slice(0, MAX_SHOWN).map(space => lineOf(space, now))
  const more = all.length > MAX_SHOWN ? [`… and ${all.length - MAX_SHOWN} more`] : []
  const what = all.length === 1 ? '1 copy has data of its own' : `${all.length} copies have data of their own`
  const days = FORGOTTEN_AFTER_MS / DAY_MS
  const advice = `A copy that is not used for ${days} days is forgotten when a copy starts. To forget one now: pillion copies forget NAME.`
  return [note(`${what} in ${spacesFolder(env)}`, [...shown, ...more, advice].join('\n'))]
}

function lineOf({name, root, copy, usedAt, bytes}: RememberedSpace, now: number): string {
  const days = Math.max(0, Math.floor((now - usedAt) / DAY_MS))
  const when = days === 0 ? 'used today' : days === 1 ? 'used yesterday' : `used ${days} days ago`
  const where = root === '' ? 'of an unknown folder' : `${root}${existsSync(root) ? '' : ', which is gone'}`
  return `${name}: ${copy === '' ? '' : `--name ${copy} in `}${where}, ${when}, ${sizeText(bytes)}`
}
