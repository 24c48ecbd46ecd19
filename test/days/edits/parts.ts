/** The invented machine of `simulated/`, where resources are read, ports are counted, and all that is started is noted. */
import type {AppPlan, Plan} from '../../../src/model/plan.ts'
import type {LogsNeeds} from '../../../src/run/apps/open-logs.ts'
import type {Logs} from '../../../src/supervisor/lifecycle-log.ts'
import type {OpenSidecar} from '../../../src/dapr/sidecar/open-sidecar.ts'
import type {OpenSidecarOptions} from '../../../src/dapr/sidecar/sidecar-options.ts'
import type {AppProcessOptions} from '../../../src/supervisor/process/app-process.ts'
import {UserError} from '../../../src/model/errors.ts'
import {current} from '../simulated/machine.ts'
import * as plain from '../simulated/parts.ts'
import {ledgerOf, type Server} from './ledger.ts'

export * from '../simulated/parts.ts'
export {RunResources} from '../../../src/run/run-resources.ts'

const KINDS = ['http', 'grpc', 'metrics'] as const
type Servers = Readonly<Record<(typeof KINDS)[number], readonly Server[]>>
type Numbers = Readonly<Record<`${(typeof KINDS)[number]}Port` | 'appPort', number>>

// proxy/ports/claim.ts, proxy/ports/claim-all.ts
interface Wishes {
  readonly wanted?: ((app: AppPlan) => Partial<Numbers> | undefined) | undefined
  readonly kept?: Servers | undefined
}
export async function claimPorts({apps}: Plan, {wanted, kept}: Wishes = {}): Promise<readonly object[]> {
  const {machine} = current
  const ledger = ledgerOf()
  await machine.takes(5)
  const taken: Server[] = []
  const claim = (app: AppPlan, kind: (typeof KINDS)[number]): readonly Server[] => {
    const [own] = app === apps[0] ? (kept?.[kind] ?? []) : []
    const fixed = app.sidecar[`${kind}Port`]
    if (own === undefined && fixed > 0 && ledger.held.has(fixed)) {
      for (const each of taken) ledger.free(each)
      throw new UserError(`Port ${fixed} is not available`)
    }
    const wish = wanted?.(app)?.[`${kind}Port`] ?? 0
    const number = fixed > 0 ? fixed : wish > 0 && !ledger.held.has(wish) ? wish : machine.next()
    if (own !== undefined && fixed > 0 && own.number !== fixed)
      ledger.fault(`${app.id} keeps ${own.number}, not ${fixed}`)
    const server = own ?? ledger.hold(number)
    taken.push(server)
    return [server]
  }
  return apps.map(app => {
    const [http = [], grpc = [], metrics = []] = KINDS.map(kind => claim(app, kind))
    const numbers = {httpPort: http[0]?.number, grpcPort: grpc[0]?.number, metricsPort: metrics[0]?.number}
    const appPort = app.channel.autoPort ? (wanted?.(app)?.appPort ?? 0) || machine.next() : app.channel.port
    return {http, grpc, metrics, ...numbers, internalGrpcPort: machine.next(), appPort}
  })
}
export const claimAll = async (plan: Plan): Promise<object> => ({
  sidecars: await claimPorts(plan),
  manager: undefined
})
export function releasePorts(servers: Servers): void {
  for (const each of KINDS.flatMap(kind => servers[kind])) if (each.state === 'claimed') ledgerOf().free(each)
}
export const releaseAll = ({sidecars}: {readonly sidecars: readonly Servers[]}): void => sidecars.forEach(releasePorts)

// dapr/sidecar/open-sidecar.ts
export async function openAppSidecar(options: OpenSidecarOptions): Promise<OpenSidecar> {
  const {runtime, resources} = options
  const ledger = ledgerOf()
  const opened = {runtime, resources}
  const servers = KINDS.flatMap(kind => runtime.ports[kind] as unknown as readonly Server[])
  const sidecar = await plain.openAppSidecar(options)
  for (const each of servers) {
    if (each.state !== 'claimed') ledger.fault(`the sidecar of ${runtime.name} gets a port that is ${each.state}`)
    each.state = 'served'
  }
  ledger.opened.add(opened)
  return {
    ...sidecar,
    makeRoom: async (keepsPorts: boolean, cut: AbortSignal) => {
      await sidecar.makeRoom(keepsPorts, cut)
      for (const each of servers)
        if (keepsPorts) each.state = 'claimed'
        else ledger.free(each)
      const {http, grpc, metrics} = runtime.ports
      servers.length = 0
      return keepsPorts ? {http, grpc, metrics} : undefined
    },
    close: async (cut: AbortSignal) => {
      for (const each of servers.splice(0)) ledger.free(each)
      await sidecar.close(cut)
      resources.close()
      if (!ledger.opened.delete(opened)) ledger.fault(`the sidecar of ${runtime.name} is closed twice`)
    }
  }
}

// supervisor/process/app-process.ts
export class AppProcess extends plain.AppProcess {
  constructor(options: AppProcessOptions) {
    super(options)
    ledgerOf().launched.set((this.group as {readonly pid: number}).pid, options)
  }
}

// supervisor/process/watchdog.ts
export class Watchdog {
  readonly spared: readonly string[] = []
  start = (): void => undefined
  spare = this.start
  guardTerminal = this.start
  removeNetworks = async (): Promise<void> => undefined
  dismiss = async (): Promise<void> => undefined
  watch = ({pid}: {readonly pid: number}, graceMs: number): unknown => ledgerOf().graces.set(pid, graceMs)
  forget = ({pid}: {readonly pid: number}): void => {
    if (!ledgerOf().graces.delete(pid)) ledgerOf().fault(`process ${pid} is forgotten twice`)
  }
}

// supervisor/process/end-group.ts
export const endMarked = async ({graceMs}: {readonly graceMs: number}): Promise<void> => {
  ledgerOf().lastGraceMs = graceMs
}

// run/apps/open-logs.ts
export async function openLogs(plan: AppPlan, needs: LogsNeeds): Promise<Omit<Logs, 'name'>> {
  const logs = await plain.openLogs(plan, needs)
  if (needs.runLog.name !== needs.name) ledgerOf().fault(`${needs.name} writes as ${needs.runLog.name}`)
  return logs
}

// what files/watcher/ uses of chokidar
export function watch(...args: Parameters<typeof plain.watch>): object {
  const [roots] = args
  const {followed} = ledgerOf()
  followed.push(roots)
  const watcher = plain.watch(...args) as {close(): Promise<void>}
  const close = watcher.close.bind(watcher)
  return Object.assign(watcher, {
    getWatched: () => ({}),
    close: async () => {
      const at = followed.indexOf(roots)
      if (at >= 0) followed.splice(at, 1)
      return close()
    }
  })
}
