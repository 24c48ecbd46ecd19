import {readEnvFiles} from '../../files/config/environment.ts'
import type {Loaded} from '../../files/config/load.ts'
import type {Entry} from '../../files/config/service-versions.ts'
import {appObjects} from './app-objects.ts'
import {checkApp, checkAppObjects, hiddenVariables, imageNameOf} from './check-app.ts'
import {DaprResources} from './dapr-resources.ts'
import {awaitedIn, deployedIn, namedOnce, shadowWarnings, type DeployedApp} from './deployed.ts'
import {Mistakes} from './mistakes.ts'
import {templateLabel, type AppObjects, type TemplateObjects} from './object.ts'
import type {Image} from './pod.ts'
import {keysWithoutMeaning} from './without-meaning.ts'

export interface ObjectsOptions {
  /** Folder for `~/` in paths of `.env` files. */
  readonly home: string
  /** Working folder: paths below it are shown relative to it. */
  readonly cwd: string
  /** Namespace of all objects; '' = that of the context, without a namespace in the objects. */
  readonly namespace?: string
  /** Sidecars are init containers that keep running: only for servers from Kubernetes 1.29 on. */
  readonly nativeSidecar?: boolean
  /** Images that were built, by app id; the others have `containerImage`. */
  readonly images?: ReadonlyMap<string, Image>
  /** Variables that override the `env` of every app (`--env`). */
  readonly variables?: Readonly<Record<string, string>>
}

/**
 * Returns all objects of a template: equal for equal templates, files and options. Reads `.env` and resource files, asks no cluster.
 * Rejects with one `UserError` for all mistakes.
 */
export async function templateObjects(loaded: Loaded, options: ObjectsOptions): Promise<TemplateObjects> {
  const {plan} = loaded
  const entries = await loaded.deployable()
  const {home, namespace = '', images = new Map<string, Image>()} = options
  const mistakes = new Mistakes()
  const deployed = deployedIn(entries, plan)
  const template = templateLabel(plan)
  const plans = deployed.map(({entry}) => entry.plan)
  const resources = new DaprResources(plans, {...options, namespace, template})
  const awaited = awaitedIn(deployed)
  const apps = deployed.map(({entry, dependsOn, replicas}): AppObjects => {
    const {settings, plan: app} = entry
    const image = images.get(app.id) ?? {image: imageNameOf(app), pullPolicy: app.elsewhere.pullPolicy}
    checkApp(entry, image.image !== '', mistakes)
    const objects = appObjects(entry, {
      variables: options.variables ?? {},
      template,
      namespace,
      image,
      dependsOn,
      replicas: settings.values.kubernetes?.replicas ?? replicas,
      isJob: awaited.has(app.id) || settings.values.kubernetes?.job === true,
      fileVariables: readEnvFiles(settings, home).variables,
      configuration: resources.configurationOf(app),
      nativeSidecar: options.nativeSidecar === true
    })
    checkAppObjects(entry, objects, mistakes)
    return objects
  })
  const {objects, warnings} = resources
  for (const check of resources.checks) mistakes.check(check)
  mistakes.throwAll()
  return {
    name: template,
    resources: objects,
    apps,
    warnings: [...warningsOf(entries, deployed), ...jobWarnings(deployed, apps), ...warnings]
  }
}

const warningsOf = (entries: readonly Entry[], deployed: readonly DeployedApp[]): readonly string[] => [
  ...namedOnce(keysWithoutMeaning(deployed.map(({entry}) => entry)), 'no meaning in a pod, left out'),
  ...shadowWarnings(entries, deployed),
  ...deployed.flatMap(({entry}) =>
    namedOnce(
      hiddenVariables(entry),
      `left out of app ${JSON.stringify(entry.plan.id)}: its sidecar has other ports in a pod`
    )
  )
]

/** A Job runs one pod, once. */
const jobWarnings = (deployed: readonly DeployedApp[], apps: readonly AppObjects[]): readonly string[] =>
  namedOnce(
    deployed
      .filter(({entry, replicas}) => (entry.settings.values.kubernetes?.replicas ?? replicas ?? 1) !== 1)
      .map(({entry}) => entry.plan.id)
      .filter(id => apps.some(app => app.id === id && app.workload.kind === 'Job')),
    'replicas left out: a Job runs one pod, once'
  )
