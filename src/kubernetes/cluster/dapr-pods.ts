import type {ApiClient} from './api-client.ts'
import {ApiError, asUserError} from './api-error.ts'
import {argument, sidecarOf, type Pod} from './pod.ts'

/** A pod with a sidecar of Dapr. */
export interface DaprPod {
  readonly pod: Pod
  readonly appId: string
  /** As the sidecar's argument has it. */
  readonly appPort: string
}

const PAGE = 500

/** All pods with a sidecar in a namespace, or in all ('') of them. */
export async function daprPods(client: ApiClient, namespace: string): Promise<readonly DaprPod[]> {
  const path = namespace === '' ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  const found: DaprPod[] = []
  let next: string | undefined
  do {
    const list = await listed(client, path, next)
    for (const pod of list.items) {
      const sidecar = sidecarOf(pod)
      if (sidecar !== undefined)
        found.push({pod, appId: argument(sidecar, '--app-id'), appPort: argument(sidecar, '--app-port')})
    }
    next = list.metadata.continue || undefined
  } while (next !== undefined)
  return found
}

interface PodList {
  readonly metadata: {readonly continue?: string}
  readonly items: readonly Pod[]
}

async function listed(client: ApiClient, path: string, next: string | undefined): Promise<PodList> {
  try {
    return await client.json<PodList>('GET', path, {query: {limit: PAGE, continue: next}})
  } catch (error) {
    throw error instanceof ApiError ? asUserError(error, 'the pods', client.access.context) : error
  }
}
