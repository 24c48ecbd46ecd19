import type {Entry} from '../../files/config/service-versions.ts'
import type {Dependency, Plan} from '../../model/plan.ts'

/** An app to deploy, with the data of all entries of the template that have its id. */
export interface DeployedApp {
  readonly entry: Entry
  readonly dependsOn: readonly Dependency[]
  /** Number of pods, if the template has one. */
  readonly replicas: number | undefined
}

/** Returns the deployed apps in start order: the first entry of each id. Further entries of its version count as replicas; other versions (shadows) are not deployed. */
export function deployedIn(entries: readonly Entry[], {apps}: Plan): readonly DeployedApp[] {
  const first = entries.filter(({plan}, index) => entries.findIndex(other => other.plan.id === plan.id) === index)
  const all = first.map(entry => {
    const {id, version} = entry.plan
    const same = entries.filter(({plan}) => plan.id === id && plan.version === version)
    const isGiven = same.length > 1 || entry.settings.values.replicas !== undefined
    const sum = same.reduce((total, {settings}) => total + (settings.values.replicas ?? 1), 0)
    return {entry, dependsOn: apps.find(app => app.id === id)?.dependsOn ?? [], replicas: isGiven ? sum : undefined}
  })
  return inStartOrder(all)
}

/** Sorts apps so that dependencies come first, else in the template's order. The loader has refused cycles. */
function inStartOrder(all: readonly DeployedApp[]): readonly DeployedApp[] {
  const ordered = new Set<DeployedApp>()
  const add = (app: DeployedApp): void => {
    if (ordered.has(app)) return
    for (const {id} of app.dependsOn)
      for (const other of all) if (other.entry.plan.id === id && other !== app) add(other)
    ordered.add(app)
  }
  for (const app of all) add(app)
  return [...ordered]
}

/** Returns the ids of apps whose end others wait for (`completed`): such an app runs once, as a Job. */
export const awaitedIn = (apps: readonly Pick<DeployedApp, 'dependsOn'>[]): ReadonlySet<string> =>
  new Set(apps.flatMap(({dependsOn}) => dependsOn.filter(({until}) => until === 'completed').map(({id}) => id)))

/** Warns of shadows of Daeploy services in one line, if there are any. */
export function shadowWarnings(entries: readonly Entry[], deployed: readonly DeployedApp[]): readonly string[] {
  const shadows = entries
    .filter(({plan}) => deployed.some(({entry}) => entry.plan.id === plan.id && entry.plan.version !== plan.version))
    .map(({plan}) => `${plan.id} ${plan.version}`)
  return namedOnce(shadows, 'not deployed: the first version of a service is')
}

/** Returns one line, `names` before `text`; an empty list without names. */
export const namedOnce = (names: readonly string[], text: string): readonly string[] =>
  names.length === 0 ? [] : [`${names.join(', ')}: ${text}`]
