import {readEnvFiles} from '../../files/config/environment.ts'
import type {Loaded} from '../../files/config/load.ts'
import type {Entry} from '../../files/config/service-versions.ts'
import {checkApp, checkAppObjects, hiddenVariables, imageNameOf} from './check-app.ts'
import {DaprResources} from './dapr-resources.ts'
import {awaitedIn, deployedIn, namedOnce, shadowWarnings, type DeployedApp} from './deployed.ts'
import {Mistakes} from './mistakes.ts'
import {
  templateLabel,
  type AppObjects,
  type TemplateObjects,
  labelsOf,
  secretName,
  type KubernetesObject,
  type ObjectMeta
} from './object.ts'
import {type Image, podSpec, type AppObjectOptions} from './pod.ts'
import {keysWithoutMeaning} from './without-meaning.ts'
import {createHash} from 'node:crypto'
import {isObject} from '../../model/is-object.ts'
import {daprAnnotations} from './annotations.ts'
import {podPort} from './variables.ts'

export interface ObjectsOptions {
  /** Folder for `~/` in paths of `.env` files. */
  readonly home: string
  /** Working folder: paths below it are shown relative to it. */
  readonly cwd: string
  /** Namespace of all objects; '': that of the context, without a namespace in the objects. */
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

/** Warns of apps with several replicas that become a Job, which runs one pod, once. */
const jobWarnings = (deployed: readonly DeployedApp[], apps: readonly AppObjects[]): readonly string[] =>
  namedOnce(
    deployed
      .filter(({entry, replicas}) => (entry.settings.values.kubernetes?.replicas ?? replicas ?? 1) !== 1)
      .map(({entry}) => entry.plan.id)
      .filter(id => apps.some(app => app.id === id && app.workload.kind === 'Job')),
    'replicas left out: a Job runs one pod, once'
  )

/** Applies a JSON merge patch (RFC 7396): maps are merged, null deletes, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = new Map<string, unknown>(Object.entries(isObject(target) ? target : {}))
  for (const [key, value] of Object.entries(patch))
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  return Object.fromEntries(merged)
}

/** Returns Deployment or Job, Service and Secret of an app. */
function appObjects(entry: Entry, options: AppObjectOptions): AppObjects {
  const {plan} = entry
  const {createService = false} = entry.settings.values
  const port = podPort(entry)
  const metadata = (name: string): ObjectMeta => ({
    name,
    ...(options.namespace !== '' && {namespace: options.namespace}),
    labels: {...labelsOf(options.template), app: plan.id}
  })
  const secret = secretOf(metadata(secretName(plan.id)), options.fileVariables)
  return {
    id: plan.id,
    plan,
    dependsOn: options.dependsOn,
    workload: workloadOf(entry, options, metadata(plan.id), secret),
    service: createService || plan.published ? serviceOf(entry, metadata(plan.id), port) : undefined,
    secret
  }
}

function workloadOf(
  entry: Entry,
  options: AppObjectOptions,
  own: ObjectMeta,
  secret: KubernetesObject | undefined
): KubernetesObject {
  const {isJob, replicas} = options
  const port = podPort(entry)
  const {annotations, labels, patch} = entry.settings.values.kubernetes ?? {}
  const metadata = {...own, labels: {...labels, ...own.labels}}
  const template = {
    metadata: {
      labels: metadata.labels,
      annotations: {
        ...daprAnnotations(entry, port),
        ...(options.configuration !== '' && {'dapr.io/config': options.configuration}),
        ...(options.nativeSidecar && {'dapr.io/enable-native-sidecar': 'true'}),
        ...(secret !== undefined && {'pillion/env': fingerprint(secret)}),
        ...annotations
      }
    },
    spec: podSpec(entry, options, secret?.metadata.name ?? '')
  }
  const workload: KubernetesObject = isJob
    ? {apiVersion: 'batch/v1', kind: 'Job', metadata, spec: {backoffLimit: 0, template}}
    : {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: {...(replicas !== undefined && {replicas}), selector: {matchLabels: {app: entry.plan.id}}, template}
      }
  return patch === undefined ? workload : (mergePatch(workload, patch) as KubernetesObject)
}

const serviceOf = (entry: Entry, metadata: ObjectMeta, port: number): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: {
    type: entry.settings.values.kubernetes?.service ?? 'LoadBalancer',
    selector: {app: entry.plan.id},
    ports: [{protocol: 'TCP', port: entry.plan.published?.number ?? 80, targetPort: port}]
  }
})

function secretOf(metadata: ObjectMeta, variables: Readonly<Record<string, string>>): KubernetesObject | undefined {
  const entries = Object.entries(variables)
  if (entries.length === 0) return undefined
  const data = Object.fromEntries(entries.map(([name, value]) => [name, Buffer.from(value).toString('base64')]))
  return {apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data}
}

/** Hashes a Secret for an annotation of the pod: pods read it once, and a new annotation makes new pods. */
const fingerprint = ({data}: KubernetesObject): string =>
  createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 12)
