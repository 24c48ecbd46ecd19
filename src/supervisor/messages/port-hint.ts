import type {AppPlan} from '../../model/plan.ts'
import {portsHeldBy} from '../../platform/port-owners.ts'
import {firstAccepting, statusOf} from '../../platform/probe.ts'
import {look} from '../../platform/process-table.ts'
import type {AppRuntime} from '../app-runtime.ts'
import {probeTargetOf} from '../process/readiness.ts'

/** The parts of an app that the hint needs. */
export type HintedApp = Pick<AppRuntime, 'plan' | 'pid' | 'appPort' | 'isListening'>

/**
 * Where an app listens that is not ready because nothing listens on its port, or what it answers to the probe of `ready.http`; ''
 * for all other apps, and if the system does not report it.
 */
export async function portHint({plan, pid, appPort, isListening}: HintedApp): Promise<string> {
  const {ready} = plan
  const isProbed = ready.kind === 'http' || (ready.kind === 'tcp' && [0, appPort].includes(ready.port))
  if (isListening || pid === 0 || appPort === 0 || !isProbed) return ''
  const {all} = await look()
  const ports = await portsHeldBy(all.filter(({group}) => group === pid).map(process => process.pid))
  if (ports === undefined) return ''
  if (ports.includes(appPort)) return answerHint(plan, appPort)
  const wanted = `its appPort ${appPort}`
  if (ports.length === 0) return `it does not listen on any port yet; ${wanted} is waited for`
  const found = `port${ports.length === 1 ? '' : 's'} ${ports.join(', ')}`
  return `it listens on ${found}, and not on ${wanted}`
}

/** Describes an answer that does not make the app ready. */
async function answerHint(plan: AppPlan, appPort: number): Promise<string> {
  if (plan.ready.kind !== 'http') return ''
  const {path} = plan.ready
  const target = probeTargetOf(plan, appPort)
  const host = await firstAccepting(target)
  const status = host === undefined ? 0 : await statusOf({...target, host, path})
  return status < 400 ? '' : `it answers GET ${path} with ${status}, and ready.http waits for 200 to 399`
}
