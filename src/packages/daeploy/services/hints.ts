import {existsSync} from 'node:fs'
import {join} from 'node:path'
import type {AppPlan} from '../../../model/plan.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import type {Reporter} from '../../../model/reporter.ts'

/** A service as the hints need it. */
export interface HintedService {
  readonly id: string
  readonly plan: AppPlan
  readonly pid: number
  readonly appPort: number
  readonly app: {readonly lastLines: {readonly stderr: readonly string[]}}
}

const MISSING = /^(?:ModuleNotFoundError|ImportError): .+/

/** Prints the commands that create the right environment for a missing Python module. We install nothing. */
export function importHint({id, plan, app}: HintedService, reporter: Reporter): void {
  const fault = plan.fixedPort > 0 ? app.lastLines.stderr.findLast(line => MISSING.test(line)) : undefined
  if (fault === undefined) return
  const {folder} = plan
  const what = existsSync(join(folder, 'requirements.txt')) ? '-r requirements.txt' : 'daeploy'
  const lines = [`cd ${shellQuoted(folder)}`, 'python3 -m venv .venv', `.venv/bin/pip install ${what}`]
  reporter.warn(
    'import-not-found',
    `"${id}" lacks a Python module (${fault}). A virtual environment in its folder is used if there is one; to create it:\n${lines.map(line => `    ${line}`).join('\n')}`
  )
}
