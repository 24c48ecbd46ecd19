import type {Server} from 'node:net'
import {codeOf, UserError} from '../../model/errors.ts'
import {listenPorts, type AppPlan, type Plan} from '../../model/plan.ts'
import {LOOPBACK} from '../../platform/probe.ts'
import {whoHolds} from './app-port.ts'
import {listen, listenAnywhere, portOf} from './bind.ts'

/** The port of Daeploy's manager, bound until the run ends. */
export interface ManagerPort {
  readonly servers: readonly Server[]
  readonly port: number
}

/** The default port of Daeploy's manager. */
const DEFAULT_PORT = 5080

/**
 * Binds the port of the manager; undefined: the plan has none. Throws a `UserError` if the port in the template is taken. Replaces the
 * default port by a free one if it is taken, or if an app of the template has it.
 */
export async function claimManagerPort(plan: Plan): Promise<ManagerPort | undefined> {
  const {managerPort} = plan
  if (managerPort === 'none') return undefined
  const reserved = new Set([...plan.apps, ...(plan.leftOut ?? [])].flatMap(portsNamed))
  if (managerPort === 'usual') {
    const servers = reserved.has(DEFAULT_PORT) ? undefined : await tryListen(DEFAULT_PORT)
    return servers === undefined ? free(reserved) : {servers, port: DEFAULT_PORT}
  }
  if (managerPort === 0) return free(reserved)
  try {
    return {servers: await listen(managerPort, LOOPBACK), port: managerPort}
  } catch (cause) {
    const holder = await whoHolds(managerPort, cause)
    throw new UserError(`invalid configuration for managerPort. Port ${managerPort} is not available`, {
      explanation: `Port ${managerPort}: ${holder}. Choose another port, or 0 for a free one.`,
      code: 'port-taken',
      cause
    })
  }
}

const portsNamed = (app: AppPlan): readonly number[] => {
  const {httpPort, grpcPort, metricsPort, internalGrpcPort} = app.sidecar
  return [...listenPorts(app), app.published?.number ?? 0, httpPort, grpcPort, metricsPort, internalGrpcPort]
}

async function tryListen(port: number): Promise<readonly Server[] | undefined> {
  try {
    return await listen(port, LOOPBACK)
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes(codeOf(error))) return undefined
    throw error
  }
}

/** Binds a free port that no app of the template has. */
async function free(reserved: ReadonlySet<number>): Promise<ManagerPort> {
  const servers = await listenAnywhere(LOOPBACK, reserved)
  return {servers, port: portOf(servers)}
}
