import type {Reporter} from '../../../model/reporter.ts'
import {listeningAmong} from '../../../platform/port-owners.ts'
import {look} from '../../../platform/process-table.ts'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import type {AppPlan} from '../../../model/plan.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'

/** Reports a service that is not ready because it listens on its hard-coded port: Python has not loaded the hook. */
export async function reportBypass({id, plan, pid, appPort}: HintedService, reporter: Reporter): Promise<void> {
  const {fixedPort} = plan
  if (fixedPort === appPort || pid === 0) return
  const {all} = await look()
  const own = all.filter(({group}) => group === pid).map(seen => seen.pid)
  const found = await listeningAmong(own, {port: fixedPort})
  if (found === undefined || found.size === 0) return
  const port = appPort.toString()
  reporter.warn(
    'fixed-port-not-used',
    `"${id}" listens on port ${fixedPort}, which is hard-coded, and not on ${port}, which was allocated: it is not a Python program, or Python was started with -I, -E or -S. Pass the port to its server instead, for example: command: [uvicorn, "service:service.app", --port, "${port}"] with appPort: ${port}`
  )
}

/** A service with the properties that the hints need. */
export interface HintedService {
  readonly id: string
  readonly plan: AppPlan
  readonly pid: number
  readonly appPort: number
  readonly app: {readonly lastLines: {readonly stderr: readonly string[]}}
}

const MISSING = /^(?:ModuleNotFoundError|ImportError): .+/

/** Reports a missing Python module, with the commands that create an environment for it. Pillion installs nothing. */
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
