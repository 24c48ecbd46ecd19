import type {AppPlan} from '../model/plan.ts'
import type {Settings} from './merge.ts'

export interface Replicated {
  readonly settings: Settings
  readonly plan: AppPlan
}

/** Every instance of every app, in the template's order: `replicas` of an entry one after the other, numbered by id and version. */
export function allInstances(entries: readonly Replicated[]): readonly AppPlan[] {
  const counts = new Map<string, number>()
  return entries.flatMap(({settings, plan}) => {
    const replicas = replicasOf(settings, plan)
    const name = JSON.stringify([plan.id, plan.version])
    const before = counts.get(name) ?? 0
    counts.set(name, before + replicas)
    return Array.from({length: replicas}, (_, index) => {
      const instance = before + index + 1
      return index === 0 ? {...plan, instance} : {...withFreePorts(plan), instance}
    })
  })
}

/** Instances share what the template says but for the ports: each needs its own. */
function replicasOf(settings: Settings, {id, channel, command, ready}: AppPlan): number {
  const {replicas = 1} = settings.values
  if (replicas === 1) return 1
  const app = `app ${JSON.stringify(id)}`
  if (channel.port > 0)
    settings.refuse({
      key: 'replicas',
      message: `${app}: replicas needs a port that is another one for each instance, and appPort is always ${channel.port}`,
      hint: 'write autoPort: true in the place of appPort; or fixedPort, where the code has the number hard-wired'
    })
  if (command.length === 0)
    settings.refuse({key: 'replicas', message: `${app}: replicas needs a command to start`, hint: 'write a command'})
  if (ready.kind === 'tcp' && ready.port > 0)
    settings.refuse({
      key: 'replicas',
      message: `${app}: ready.tcp names one port for all replicas`,
      hint: 'leave out ready, or write ready: {http: /path}'
    })
  return replicas
}

const withFreePorts = (plan: AppPlan): AppPlan => ({
  ...plan,
  sidecar: {...plan.sidecar, httpPort: 0, grpcPort: 0, internalGrpcPort: 0, metricsPort: 0},
  elsewhere: {...plan.elsewhere, profilePort: plan.elsewhere.profilePort === 'none' ? 'none' : 0}
})
