import {ownerOf} from '../../processes/listeners.ts'
import type {Plan} from '../../plan.ts'
import {letGo} from '../../wire/claim.ts'
import {claimManagerPort, type ManagerPort} from './manager-port.ts'
import {claimPorts, type DoorPorts} from './ports.ts'

/** Every port that a run holds. */
export interface Claims {
  /** In the order of the plan's apps. */
  readonly doors: readonly DoorPorts[]
  readonly manager: ManagerPort | undefined
}

/** Claims every port of a plan, the manager's first: an allocated one must not be it. Throws a UserError with nothing held. */
export async function claimAll(plan: Plan): Promise<Claims> {
  const manager = await claimManagerPort(plan, nameOwner)
  try {
    return {doors: await claimPorts(plan, nameOwner), manager}
  } catch (error) {
    for (const server of manager?.servers ?? []) letGo(server)
    throw error
  }
}

/** Who holds a port, for people; '' where the system does not tell. */
export async function nameOwner(port: number): Promise<string> {
  const owner = await ownerOf(port)
  return owner === undefined ? '' : `${owner.command} (pid ${owner.pid.toString()})`
}
