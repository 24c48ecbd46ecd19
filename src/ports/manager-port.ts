import type {Server} from 'node:net'
import {codeOf, UserError} from '../model/errors.ts'
import type {Plan} from '../model/plan.ts'
import {letGo} from '../net/claimed-server.ts'
import {listen, LOOPBACK, portOf, whyTaken, type NameOwner} from './claim.ts'

/** The manager's port, bound by us until the run ends. */
export interface ManagerPort {
  readonly servers: readonly Server[]
  readonly port: number
}

/** Where Daeploy's manager is, unless somebody says otherwise. */
const USUAL_PORT = 5080

/**
 * Claims the manager's port, before any other: undefined where the plan has none. Throws a UserError where the port that
 * the template names is taken; the usual one is left to whoever has it, or is named by an app of the template.
 */
export async function claimManagerPort(plan: Plan, nameOwner: NameOwner): Promise<ManagerPort | undefined> {
  const {managerPort} = plan
  if (managerPort === 'none') return undefined
  const spoken = new Set(
    plan.apps.flatMap(({channel, fixedPort, sidecar}) => [
      channel.port,
      fixedPort,
      sidecar.httpPort,
      sidecar.grpcPort,
      sidecar.metricsPort
    ])
  )
  if (managerPort === 'usual') {
    const servers = spoken.has(USUAL_PORT) ? undefined : await tryListen(USUAL_PORT)
    return servers === undefined ? free(spoken) : {servers, port: USUAL_PORT}
  }
  if (managerPort === 0) return free(spoken)
  try {
    return {servers: await listen(managerPort, LOOPBACK), port: managerPort}
  } catch (error) {
    throw await taken(managerPort, nameOwner, error)
  }
}

async function tryListen(port: number): Promise<readonly Server[] | undefined> {
  try {
    return await listen(port, LOOPBACK)
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes(codeOf(error))) return undefined
    throw error
  }
}

/** A free port that no app of the template wants. What is not wanted is held until another one is found. */
async function free(spoken: ReadonlySet<number>): Promise<ManagerPort> {
  const held: (readonly Server[])[] = []
  try {
    for (;;) {
      const [first, ...none] = await listen(0, ['127.0.0.1'])
      if (first === undefined || none.length > 0) throw new Error('one address has one server')
      const port = portOf([first])
      const rest = spoken.has(port) ? undefined : await tryListenOn6(port)
      if (rest !== undefined) return {servers: [first, ...rest], port}
      held.push([first])
    }
  } finally {
    for (const servers of held) for (const server of servers) letGo(server)
  }
}

/** The same number on ::1; undefined where somebody else has it there. */
async function tryListenOn6(port: number): Promise<readonly Server[] | undefined> {
  try {
    return await listen(port, ['::1'])
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return undefined
    throw error
  }
}

async function taken(port: number, nameOwner: NameOwner, cause: unknown): Promise<UserError> {
  const why = codeOf(cause)
  const owner = why === 'EADDRINUSE' ? await nameOwner(port) : ''
  const holder = owner === '' ? whyTaken(why) : `it is held by ${owner}`
  return new UserError(`invalid configuration for managerPort. Port ${port.toString()} is not available`, {
    explanation: `Port ${port.toString()}: ${holder}. Choose another number, or 0 for a free one.`,
    cause
  })
}
