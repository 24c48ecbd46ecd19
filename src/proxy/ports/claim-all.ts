import type {Plan} from '../../model/plan.ts'
import {release} from '../net/claimed-server.ts'
import {claimManagerPort, type ManagerPort} from './manager-port.ts'
import {claimPorts, type SidecarPorts} from './claim.ts'

/** All ports that a run has bound. */
export interface Claims {
  /** Ports of the sidecars, in the order of the plan's apps. */
  readonly sidecars: readonly SidecarPorts[]
  readonly manager: ManagerPort | undefined
}

/** Binds every port of a plan, the manager's first, so that no app gets it. Binds none and throws a `UserError` if one fails. */
export async function claimAll(plan: Plan): Promise<Claims> {
  const manager = await claimManagerPort(plan)
  try {
    return {sidecars: await claimPorts(plan), manager}
  } catch (error) {
    for (const server of manager?.servers ?? []) release(server)
    throw error
  }
}

/** Releases the ports of one sidecar that no server is attached to yet. */
export function releasePorts({http, grpc, metrics}: Pick<SidecarPorts, 'http' | 'grpc' | 'metrics'>): void {
  for (const server of [...http, ...grpc, ...metrics]) release(server)
}

/** Releases all ports that no server is attached to yet. */
export function releaseAll({sidecars, manager}: Claims): void {
  for (const ports of sidecars) releasePorts(ports)
  for (const server of manager?.servers ?? []) release(server)
}
