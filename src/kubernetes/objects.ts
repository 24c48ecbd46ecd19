import {readEnvFiles} from '../config/environment.ts'
import type {Loaded} from '../config/load.ts'
import type {Entry} from '../config/service-versions.ts'
import type {Dependency} from '../model/plan.ts'
import {appObjects} from './app-objects.ts'
import {checkApp, checkObjects, hiddenVariables} from './check-app.ts'
import {DaprResources} from './dapr-resources.ts'
import {Mistakes} from './mistakes.ts'
import {templateLabel, type AppObjects, type TemplateObjects} from './object.ts'
import type {Image} from './pod.ts'
import {keysWithoutMeaning} from './without-meaning.ts'

export interface ObjectsOptions {
  /** Where `~/` in paths of `.env` files is. */
  readonly home: string
  /** Files below it are shown by their path from there. */
  readonly cwd: string
  /** All objects are in it; '' = that of the context, and no object names one. */
  readonly namespace?: string
  /** Sidecars are init containers that go on: only for servers from Kubernetes 1.29 on. */
  readonly nativeSidecar?: boolean
  /** Images that were built, by app id; the others have `containerImage`. */
  readonly images?: ReadonlyMap<string, Image>
}

/**
 * All objects of a template: the same ones for the same template, files and options. Reads `.env` and resource files, asks
 * no cluster. Rejects with one `UserError` for all mistakes that can be known here.
 */
export async function templateObjects(loaded: Loaded, options: ObjectsOptions): Promise<TemplateObjects> {
  const {plan} = loaded
  const entries = await loaded.deployable()
  const {home, namespace = '', images = new Map<string, Image>()} = options
  const mistakes = new Mistakes()
  const deployed = inStartOrder(deployedIn(entries, plan.apps), dependencies)
  const template = templateLabel(plan)
  const resources = new DaprResources(
    deployed.map(({entry}) => entry.plan),
    {...options, namespace, template}
  )
  const awaited = new Set(
    deployed.flatMap(({dependsOn}) => dependsOn.filter(({until}) => until === 'completed').map(({id}) => id))
  )
  const apps = deployed.map(({entry, dependsOn, replicas}): AppObjects => {
    const {settings, plan: app} = entry
    const image = images.get(app.id) ?? {image: app.elsewhere.containerImage, pullPolicy: app.elsewhere.pullPolicy}
    checkApp(entry, image.image !== '', mistakes)
    const objects = appObjects(entry, {
      template,
      namespace,
      image,
      dependsOn,
      replicas,
      isJob: awaited.has(app.id) || settings.values.kubernetes?.job === true,
      fileVariables: readEnvFiles(settings, home).variables,
      configuration: resources.configurationOf(app),
      nativeSidecar: options.nativeSidecar === true
    })
    checkObjects(entry, objects, mistakes)
    return objects
  })
  const {objects, warnings} = resources
  for (const check of resources.checks) mistakes.check(check)
  mistakes.throwAll()
  return {
    name: template,
    resources: objects,
    apps,
    warnings: [...warningsOf(entries, deployed), ...warnings]
  }
}

/** An app of the template that is deployed, with what its entries say together. */
interface Deployed {
  readonly entry: Entry
  readonly dependsOn: readonly Dependency[]
  readonly replicas: number | undefined
}

const dependencies = ({dependsOn}: Deployed): readonly string[] => dependsOn.map(({id}) => id)

/** The first entry of each id; further ones of the same version are replicas, those of others shadows. */
function deployedIn(entries: readonly Entry[], apps: Loaded['plan']['apps']): readonly Deployed[] {
  const first = entries.filter(({plan}, index) => entries.findIndex(other => other.plan.id === plan.id) === index)
  return first.map(entry => {
    const {id, version} = entry.plan
    const same = entries.filter(({plan}) => plan.id === id && plan.version === version)
    const isGiven = same.length > 1 || entry.settings.values.replicas !== undefined
    const sum = same.reduce((total, {settings}) => total + (settings.values.replicas ?? 1), 0)
    return {
      entry,
      dependsOn: apps.find(app => app.id === id)?.dependsOn ?? [],
      replicas: entry.settings.values.kubernetes?.replicas ?? (isGiven ? sum : undefined)
    }
  })
}

/** What others depend on comes first, otherwise the template's order. There are no cycles: the loader refuses them. */
function inStartOrder(all: readonly Deployed[], before: (app: Deployed) => readonly string[]): readonly Deployed[] {
  const ordered = new Set<Deployed>()
  const add = (app: Deployed): void => {
    if (ordered.has(app)) return
    for (const id of before(app)) for (const other of all) if (other.entry.plan.id === id && other !== app) add(other)
    ordered.add(app)
  }
  for (const app of all) add(app)
  return [...ordered]
}

const lost = (names: readonly string[], text: string): readonly string[] =>
  names.length === 0 ? [] : [`${names.join(', ')}: ${text}`]

function warningsOf(entries: readonly Entry[], deployed: readonly Deployed[]): readonly string[] {
  const keys = keysWithoutMeaning(deployed.map(({entry}) => entry))
  const shadows = entries
    .filter(({plan}) => deployed.some(({entry}) => entry.plan.id === plan.id && entry.plan.version !== plan.version))
    .map(({plan}) => `${plan.id} ${plan.version}`)
  return [
    ...lost(keys, 'no meaning in a pod, left out'),
    ...lost(shadows, 'not deployed: the first version of a service is'),
    ...deployed.flatMap(({entry}) =>
      lost(
        hiddenVariables(entry),
        `left out of app ${JSON.stringify(entry.plan.id)}: its sidecar has other ports in a pod`
      )
    )
  ]
}
