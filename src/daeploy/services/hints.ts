import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {holds, listenersOn} from '../../platform/listeners.ts'
import {look} from '../../platform/process-table.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {Reporter} from '../../model/reporter.ts'

/** A service as hints see it. */
export interface Hinted {
  readonly id: string
  readonly plan: AppPlan
  readonly pid: number
  readonly appPort: number
  readonly app: {readonly lastLines: readonly string[]}
}

const MISSING = /^(?:ModuleNotFoundError|ImportError): .+/

/** Python did not find a module: the lines that make the environment in which it would. Nothing is installed by us. */
export function importHint({id, plan, app}: Hinted, reporter: Reporter): void {
  const fault = plan.fixedPort > 0 ? app.lastLines.findLast(line => MISSING.test(line)) : undefined
  if (fault === undefined) return
  const {folder} = plan
  const what = existsSync(join(folder, 'requirements.txt')) ? '-r requirements.txt' : 'daeploy'
  const lines = [`cd ${folder}`, 'python3 -m venv .venv', `.venv/bin/pip install ${what}`]
  reporter.warn(
    'import-not-found',
    `"${id}" lacks a Python module (${fault}). Its own environment is used where there is one; to make it:\n${lines.map(line => `    ${line}`).join('\n')}`
  )
}

/** A service that is not ready because it listens on the port of its code: Python was told to load no hook of ours. */
export async function bypassHint({id, plan, pid, appPort}: Hinted, reporter: Reporter): Promise<void> {
  const {fixedPort} = plan
  const sockets = listenersOn({port: fixedPort})
  if (fixedPort === 0 || fixedPort === appPort || pid === 0 || sockets.size === 0) return
  const {all} = await look()
  const isOurs = all.some(seen => seen.group === pid && holds(seen.pid, sockets))
  if (!isOurs) return
  const port = appPort.toString()
  reporter.warn(
    'fixed-port-not-used',
    `"${id}" listens on port ${fixedPort.toString()}, which its code names, and not on ${port}, which it was given: it is no Python program, or Python was started with -I, -E or -S. Give the port to its server instead, like: command: [uvicorn, "service:service.app", --port, "${port}"] with appPort: ${port}`
  )
}
