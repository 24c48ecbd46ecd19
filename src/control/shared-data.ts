import {appendFileSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {copiesAmong, type TemplateCopy} from './copies.ts'
import {livingRuns, type LivingRun} from './living-runs.ts'

/** In the folder of a run: one line for each data that it has in a server. */
const FILE = 'data'

/** Writes down what data a run has in servers, for other copies that use the same. `keys`: equal where the data are. */
export const noteData = (home: string, keys: readonly string[]): void =>
  appendFileSync(join(home, FILE), keys.map(key => `${key}\n`).join(''), {mode: 0o600})

/** The other copies of a template that run now, and the keys of what data they have. */
export const dataOfCopies = (
  env: Environment,
  own: TemplateCopy
): readonly {readonly run: LivingRun; readonly keys: ReadonlySet<string>}[] =>
  copiesAmong(livingRuns(env), own).map(run => ({run, keys: new Set(read(run.home).split('\n').filter(Boolean))}))

function read(home: string): string {
  try {
    return readFileSync(join(home, FILE), 'utf8')
  } catch {
    return '' // it has none, or has ended
  }
}
