import {appendFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {isSameTemplate, systemText} from '../platform/paths.ts'
import {copiesAmong, type TemplateCopy} from './copies.ts'
import {livingRuns, type LivingRun} from './living-runs.ts'

/** File in a run's folder, with one line for each database or the like that the run uses in a server. */
const FILE = 'data'

/** Records which data in servers a run uses, so that other copies notice data that they share. Equal data have equal `keys`. */
export const noteData = (home: string, keys: readonly string[]): void =>
  appendFileSync(join(home, FILE), keys.map(key => `${key}\n`).join(''), {mode: 0o600})

/** The data of another copy of a template. */
export interface DataOfCopy {
  readonly run: LivingRun
  /** The keys, as passed to `noteData`. */
  readonly keys: ReadonlySet<string>
  /** Whether the copy was made without Git (`cp -r`): only the text of the template identifies it. */
  readonly isPlain: boolean
}

/** The other copies of a template that run now. */
export function dataOfCopies(env: Environment, own: TemplateCopy): readonly DataOfCopy[] {
  const runs = livingRuns(env)
  const copies = copiesAmong(runs, own)
  const text = systemText(own.file)
  const plain = runs.filter(
    ({templateFile, pid}) =>
      pid !== process.pid && text !== '' && !isSameTemplate(templateFile, own.file) && systemText(templateFile) === text
  )
  const all = [...copies, ...plain.filter(run => !copies.includes(run))]
  return all.map(run => ({
    run,
    keys: new Set(systemText(join(run.home, FILE)).split('\n').filter(Boolean)),
    isPlain: !copies.includes(run)
  }))
}
