import {isDeepStrictEqual} from 'node:util'
import type {AppPlan} from '../../model/plan.ts'
import type {SidecarPorts} from '../../proxy/ports/claim.ts'

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
export function keepsPorts(
  {plan, ports}: {readonly plan: AppPlan; readonly ports: SidecarPorts},
  after: AppPlan,
  opened: readonly AppPlan[]
): boolean {
  if (!isDeepStrictEqual(sidecarPortsIn(plan), sidecarPortsIn(after))) return false
  const own = numbersIn(after.sidecar)
  const fixed = new Set(opened.flatMap(({sidecar, channel}) => [...numbersIn(sidecar), channel.port]))
  return ![ports.httpPort, ports.grpcPort, ports.metricsPort].some(port => fixed.has(port) && !own.includes(port))
}
