import {isDeepStrictEqual} from 'node:util'
import type {SidecarServers} from '../../dapr/sidecar/open-sidecar.ts'
import type {AppPlan} from '../../model/plan.ts'
import {allOrNone} from '../../platform/in-parallel.ts'
import type {SidecarPorts} from '../../proxy/ports/claim.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {planKey} from './plan-facts.ts'
import type {AppCloser} from '../apps/close-app.ts'

/**
 * Closes the apps that an edit removes or opens again with the plans `next`. Each accepts calls until its callers among them are drained.
 * Rejects at the end if one could not be closed. `kept`: gets the listening servers of each sidecar that keeps its ports.
 */
export async function closeForEdit(
  runtimes: readonly AppRuntime[],
  next: readonly AppPlan[],
  {closer, calls}: {readonly closer: AppCloser; readonly calls: (caller: string, callee: string) => boolean},
  kept: Map<AppRuntime, SidecarServers>
): Promise<void> {
  const drains = new Map(runtimes.map(runtime => [runtime, Promise.withResolvers<void>()]))
  const order = callersFirst(runtimes, calls)
  await allOrNone(
    order.map(async (runtime, at) => {
      const {plan, ports} = runtime
      const after = next.find(each => planKey(each) === planKey(plan))
      const callers = order.slice(0, at).filter(({id}) => calls(id, runtime.id))
      const onDrained = (): void => drains.get(runtime)?.resolve()
      const edited = {
        keepsPorts: after !== undefined && keepsPorts({plan, ports}, after, next),
        isOpenedNext: next.some(({id}) => id === runtime.id),
        callers: Promise.all(callers.map(async each => drains.get(each)?.promise)),
        onDrained
      }
      const servers = await closer.closeForEdit(runtime, edited).finally(onDrained)
      if (servers !== undefined) kept.set(runtime, servers)
    })
  )
}

/** Sorts apps so that each precedes those that it has called, unless one of these has called it, too. */
export function callersFirst<A extends {readonly id: string}>(
  apps: readonly A[],
  calls: (caller: string, callee: string) => boolean
): readonly A[] {
  const order = new Set<A>()
  const seen = new Set<A>()
  const place = (app: A): void => {
    if (seen.has(app)) return
    seen.add(app)
    for (const caller of apps) if (caller.id !== app.id && calls(caller.id, app.id)) place(caller)
    order.add(app)
  }
  apps.forEach(place)
  return [...order]
}

/** Whether two plans of an app have the same ports, so that the app keeps them. */
export const hasSamePorts = (a: AppPlan, b: AppPlan): boolean => isDeepStrictEqual(portsIn(a), portsIn(b))

const portsIn = (plan: AppPlan): readonly unknown[] => {
  const {channel, fixedPort} = plan
  return [...sidecarPortsIn(plan), channel.port, channel.autoPort, fixedPort]
}

const sidecarPortsIn = ({sidecar}: AppPlan): readonly unknown[] => [...numbersIn(sidecar), sidecar.listenAddresses]

const numbersIn = ({httpPort, grpcPort, metricsPort, internalGrpcPort}: AppPlan['sidecar']): readonly number[] => [
  httpPort,
  grpcPort,
  metricsPort,
  internalGrpcPort
]

/** Whether an app's sidecar keeps its ports over an edit: its new plan has the same, and no other opened app wants one. */
function keepsPorts(
  {plan, ports}: {readonly plan: AppPlan; readonly ports: SidecarPorts},
  after: AppPlan,
  opened: readonly AppPlan[]
): boolean {
  if (!isDeepStrictEqual(sidecarPortsIn(plan), sidecarPortsIn(after))) return false
  const own = numbersIn(after.sidecar)
  const fixed = new Set(opened.flatMap(({sidecar, channel}) => [...numbersIn(sidecar), channel.port]))
  return ![ports.httpPort, ports.grpcPort, ports.metricsPort].some(port => fixed.has(port) && !own.includes(port))
}
