import {createHash} from 'node:crypto'
import {isObject} from '../../model/is-object.ts'
import type {Entry} from '../../files/config/service-versions.ts'
import {daprAnnotations} from './annotations.ts'
import {labelsOf, secretName, type AppObjects, type KubernetesObject, type ObjectMeta} from './object.ts'
import {podSpec, type AppObjectOptions} from './pod.ts'
import {podPort} from './variables.ts'

/** Applies a JSON merge patch (RFC 7396): maps are merged, null deletes, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = new Map<string, unknown>(Object.entries(isObject(target) ? target : {}))
  for (const [key, value] of Object.entries(patch))
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  return Object.fromEntries(merged)
}

/** Deployment or Job, Service and Secret of an app. */
export function appObjects(entry: Entry, options: AppObjectOptions): AppObjects {
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
