import type {Reporter} from '../../../model/reporter.ts'
import {listeningAmong} from '../../../platform/port-owners.ts'
import {look} from '../../../platform/process-table.ts'
import type {HintedService} from './hints.ts'

/** A service that is not ready because it listens on its hard-coded port: Python did not load our hook. */
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
