import {existsSync, statSync} from 'node:fs'
import type {Environment} from '../../model/environment.ts'
import type {Plan} from '../../model/plan.ts'
import {workPath} from '../../work/work-path.ts'
import {note, type Check} from './check.ts'

/** Where the workflows of a template lie, and how large that is; nothing where none have run. */
export function checkWork(plan: Plan, env: Environment): readonly Check[] {
  const path = workPath({env, plan})
  if (path === undefined || !existsSync(path)) return []
  // changes are written ahead into a second file
  const bytes = [path, `${path}-wal`].reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0)
  return [
    note(
      `workflows of this template lie in ${path} (${sizeText(bytes)})`,
      'pillion workflow purge --all-older-than 720h removes what is over; pillion run -f . --forget begins anew.'
    )
  ]
}

/** `12 KB`, `3.4 MB`. */
export const sizeText = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3).toString()} KB` : `${(bytes / 1e6).toFixed(1)} MB`
