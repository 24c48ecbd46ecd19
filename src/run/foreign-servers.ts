import type {AppPlan, Plan} from '../model/plan.ts'
import type {RunContext} from './run-context.ts'

/**
 * Says why a run must not use the server at one of these ports: a process of another copy of the template listens there, or one of any other run
 * where an app of this template is to listen; '' = it may. What no app of the template runs is shared, and what `--rest` borrows.
 */
export type ServerRefusal = (ports: Iterable<number>, mayBeRunItself?: boolean) => Promise<string>

export function serverRefusal({env, plan}: Pick<RunContext, 'env' | 'plan'>): ServerRefusal {
  const {file, copy = '', rest} = plan
  if (file === '') return async () => Promise.resolve('')
  const ofApps = new Set([...(plan.movedPorts?.keys() ?? []), ...everyApp(plan).flatMap(listenPorts)])
  return async (ports, mayBeRunItself = false) => {
    const wanted = [...ports].filter(port => port > 0)
    if (wanted.length === 0) return ''
    const {foreignServer, foreignServerText} = await import('../control/foreign-server.ts')
    const found = await foreignServer(env, {file, copy}, wanted)
    if (found === undefined || found.run.name === rest || (mayBeRunItself && found.isRunItself)) return ''
    const {templateFile, copy: name} = found.run
    // a second run of the same copy has the same data
    const isOther = templateFile !== file || name !== copy
    return found.isCopy || (isOther && ofApps.has(found.port)) ? foreignServerText(found) : ''
  }
}

const everyApp = ({apps, leftOut = []}: Plan): readonly AppPlan[] => [...apps, ...leftOut]

/** Where an app listens, or is waited for. */
export const listenPorts = ({ready, channel, fixedPort}: AppPlan): readonly number[] =>
  [channel.port, fixedPort, ready.kind === 'tcp' ? ready.port : 0].filter(port => port > 0)
