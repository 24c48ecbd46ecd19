import {ownerOf} from '../platform/listeners.ts'
import type {Plan} from '../model/plan.ts'
import {letGo} from '../net/claimed-server.ts'
import {claimManagerPort, type ManagerPort} from './manager-port.ts'
import {claimPorts, type SidecarPorts} from './claim.ts'

/** Every port that a run holds. */
export interface Claims {
  /** In the order of the plan's apps. */
  readonly sidecars: readonly SidecarPorts[]
  readonly manager: ManagerPort | undefined
}

/** Claims every port of a plan, the manager's first: an allocated one must not be it. Throws a UserError with nothing held. */
export async function claimAll(plan: Plan): Promise<Claims> {
  const manager = await claimManagerPort(plan, nameOwner)
  try {
    return {sidecars: await claimPorts(plan, nameOwner), manager}
  } catch (error) {
    for (const server of manager?.servers ?? []) letGo(server)
    throw error
  }
}

/** Lets go of the ports of one sidecar, as far as nobody has taken them over. */
export function letGoOf({http, grpc, metrics}: SidecarPorts): void {
  for (const server of [...http, ...grpc, ...metrics]) letGo(server)
}

/** Lets go of all of them, as far as nobody has taken them over. */
export function letGoOfAll({sidecars, manager}: Claims): void {
  for (const ports of sidecars) letGoOf(ports)
  for (const server of manager?.servers ?? []) letGo(server)
}

/** Who holds a port, for people; '' where the system does not tell. */
export async function nameOwner(port: number): Promise<string> {
  const owner = await ownerOf(port)
  return owner === undefined ? '' : `${owner.command} (pid ${owner.pid.toString()})`
}
