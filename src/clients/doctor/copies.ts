import {existsSync} from 'node:fs'
import type {Environment} from '../../model/environment.ts'
import {
  FORGOTTEN_AFTER_MS,
  rememberedSpaces,
  spacesFolder,
  type RememberedSpace
} from '../../control/remembered-spaces.ts'
import {note, type Check} from './check.ts'
import {sizeText} from './work.ts'

const DAY_MS = 86_400_000
/** More would hide other findings. */
const MAX_SHOWN = 20

/** The copies of templates that have data of their own, the latest first; nothing without any. */
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
