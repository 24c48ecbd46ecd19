import type {SidecarServers} from '../../dapr/sidecar/open-sidecar.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {planKey} from '../../supervisor/reload/plan-diff.ts'
import type {AppsOptions} from './apps.ts'
import {callersFirst} from './callers-first.ts'
import {keepsPorts} from './same-ports.ts'

/**
 * Closes the apps that an edit opens again by the plans `next`, or removes: each takes calls until its callers among them are drained.
 * Rejects when all are closed, if one could not be. `kept` gets the listening servers of each sidecar that keeps its ports.
 */
export async function closeForEdit(
  runtimes: readonly AppRuntime[],
  next: readonly AppPlan[],
  {closer, calls}: Pick<AppsOptions, 'closer' | 'calls'>,
  kept: Map<AppRuntime, SidecarServers>
): Promise<void> {
  const drains = new Map(runtimes.map(runtime => [runtime, Promise.withResolvers<void>()]))
  const order = callersFirst(runtimes, calls)
  const closing = await Promise.allSettled(
    order.map(async (runtime, at) => {
      const {plan, ports} = runtime
      const after = next.find(each => planKey(each) === planKey(plan))
      runtime.isReopened = after !== undefined
      const callers = order.slice(0, at).filter(({id}) => calls(id, runtime.id))
      const onDrained = (): void => drains.get(runtime)?.resolve()
      const edited = {
        keepsPorts: after !== undefined && keepsPorts({plan, ports}, after, next),
        callers: Promise.all(callers.map(async each => drains.get(each)?.promise)),
        onDrained
      }
      const servers = await closer.closeForEdit(runtime, edited).finally(onDrained)
      if (servers !== undefined) kept.set(runtime, servers)
    })
  )
  const failed = closing.find(({status}) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
