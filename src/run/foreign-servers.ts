import {foreignServer, foreignServerText} from '../control/foreign-server.ts'
import {listenPorts} from '../model/plan.ts'
import {isSameTemplate} from '../platform/paths.ts'
import type {RunContext} from './run-context.ts'

/** Explains why the server at one of these ports must not be used; '': it may be. `mayBeRun`: a run itself may listen there. */
export type ServerRefusal = (ports: Iterable<number>, mayBeRun?: boolean) => Promise<string>

/**
 * Refuses a server of another copy of the template, or of any run at the port of an app of this template. Other servers are shared, and so are servers of a second run of the same copy.
 */
export async function refuseServer(
  {env, plan}: Pick<RunContext, 'env' | 'plan'>,
  ports: Iterable<number>,
  mayBeRun = false
): Promise<string> {
  const {file, copy = '', apps, leftOut = [], movedPorts} = plan
  const wanted = [...ports].filter(port => port > 0)
  if (file === '' || wanted.length === 0) return ''
  const found = await foreignServer(env, {file, copy}, wanted)
  if (found === undefined || (mayBeRun && found.isRunItself)) return ''
  const {port, isCopy, run} = found
  const isSame = isSameTemplate(run.templateFile, file) && run.copy === copy
  const isOfApp = [...apps, ...leftOut].some(app => listenPorts(app).includes(port)) || movedPorts?.has(port) === true
  return isCopy || (!isSame && isOfApp) ? foreignServerText(found) : ''
}
