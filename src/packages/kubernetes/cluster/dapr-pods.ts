import {UserError} from '../../../model/errors.ts'
import type {ClusterClient} from './api-client.ts'
import {ClusterError, asUserError} from './api-error.ts'
import {argument, sidecarOf, type Pod} from './pod.ts'

/** A pod with a sidecar of Dapr. */
export interface DaprPod {
  readonly pod: Pod
  readonly appId: string
  /** The port in the sidecar's argument. */
  readonly appPort: string
}

const PAGE = 500
/** Enough for a million pods; a server that never ends its list is none of Kubernetes. */
const MAX_PAGES = 2000

/** All pods with a sidecar in a namespace, or in all ('') of them. */
export async function daprPods(client: ClusterClient, namespace: string): Promise<readonly DaprPod[]> {
  const path = namespace === '' ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  const found: DaprPod[] = []
  let next: string | undefined
  for (let pages = 0; pages === 0 || next !== undefined; pages++) {
    const {items, metadata} = await listed(client, path, next)
    if (!arePods(items) || pages >= MAX_PAGES)
      throw new UserError(
        `${client.access.server} is no Kubernetes API server: it answers GET ${path} with no list of pods`
      )
    for (const pod of items) {
      const sidecar = sidecarOf(pod)
      if (sidecar !== undefined)
        found.push({pod, appId: argument(sidecar, '--app-id'), appPort: argument(sidecar, '--app-port')})
    }
    next = metadata?.continue || undefined
  }
  return found
}

/** The shape of a list of pods; each part is checked before it is used. */
interface PodList {
  readonly metadata?: {readonly continue?: string}
  readonly items?: unknown
}

/** Whether it has what every pod has. */
const isPod = (pod: unknown): boolean => {
  const {metadata, spec} = (pod ?? {}) as {metadata?: {name?: unknown} | null; spec?: {containers?: unknown} | null}
  return typeof metadata?.name === 'string' && Array.isArray(spec?.containers)
}

const arePods = (items: unknown): items is readonly Pod[] => Array.isArray(items) && items.every(isPod)

async function listed(client: ClusterClient, path: string, next: string | undefined): Promise<PodList> {
  try {
    // `null` is JSON, too
    return (await client.json<PodList | null>('GET', path, {query: {limit: PAGE, continue: next}})) ?? {}
  } catch (error) {
    throw error instanceof ClusterError ? asUserError(error, 'the pods', client.access.context) : error
  }
}
