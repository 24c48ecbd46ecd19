import {UserError} from '../../../model/errors.ts'
import type {ClusterClient} from './api-client.ts'
import {asUserError} from './api-error.ts'
import {argument, sidecarOf, type Pod} from './pod.ts'

/** A pod with a sidecar of Dapr. */
export interface DaprPod {
  readonly pod: Pod
  readonly appId: string
  /** The port in the sidecar's argument. */
  readonly appPort: string
}

/** All pods with a sidecar in a namespace, or in all ('') of them. */
export async function daprPods(client: ClusterClient, namespace: string): Promise<readonly DaprPod[]> {
  const {server, context} = client.access
  const path = namespace === '' ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  const {items} = await client.list<Pod>(path).catch((error: unknown) => {
    throw asUserError(error, 'the pods', context)
  })
  if (!items.every(isPod))
    throw new UserError(`${server} is no Kubernetes API server: it answers GET ${path} with no list of pods`)
  return items.flatMap(pod => {
    const sidecar = sidecarOf(pod)
    if (sidecar === undefined) return []
    return [{pod, appId: argument(sidecar, '--app-id'), appPort: argument(sidecar, '--app-port')}]
  })
}

/** Whether it has what every pod has. */
const isPod = ({metadata, spec}: {metadata: {name?: unknown}; spec?: {containers?: unknown} | null}): boolean =>
  typeof metadata.name === 'string' && Array.isArray(spec?.containers)
