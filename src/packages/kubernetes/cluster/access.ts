import {isLoopback} from '../../../model/address.ts'
import {UserError} from '../../../model/errors.ts'
import {Kubectl} from './kubectl.ts'

/** The cluster and the namespace of a command. */
export interface ClusterAccess {
  readonly kubectl: Kubectl
  readonly context: string
  /** URL of the API server. */
  readonly server: string
  readonly namespace: string
  /** Whether the cluster is on this machine. */
  readonly isLocal: boolean
}

/** Part of what `kubectl config view --minify` prints. */
interface View {
  readonly 'current-context'?: string
  readonly clusters?: readonly {readonly cluster?: {readonly server?: string}}[] | null
  readonly contexts?: readonly {readonly context?: {readonly namespace?: string}}[] | null
}

/** Names that tools for local clusters give to their contexts. */
const LOCAL_NAME = /^(?:kind-.*|k3d-.*|minikube|docker-desktop|rancher-desktop|orbstack|colima|microk8s)$/

/** Returns the cluster of a context and a namespace; '' selects the current ones. Rejects with a UserError. */
export async function openAccess(place: {
  readonly context: string
  readonly namespace: string
}): Promise<ClusterAccess> {
  const view = await new Kubectl({context: place.context}).json<View>(['config', 'view', '--minify'])
  const server = view.clusters?.[0]?.cluster?.server ?? ''
  const context = place.context || (view['current-context'] ?? '')
  if (context === '' || server === '')
    throw new UserError('no Kubernetes cluster is configured: kubectl has no current context', {
      explanation:
        'Create a cluster (kind create cluster, minikube start …), or set KUBECONFIG to the file that your provider gave you.'
    })
  const namespace = place.namespace || (view.contexts?.[0]?.context?.namespace ?? 'default')
  const isLocal = LOCAL_NAME.test(context) || isHere(server)
  return {kubectl: new Kubectl({context, namespace}), context, server, namespace, isLocal}
}

/** Whether the URL of an API server names this machine. */
function isHere(server: string): boolean {
  if (!URL.canParse(server)) return false
  const host = new URL(server).hostname.replaceAll(/^\[|\]$/g, '')
  return isLoopback(host) || host === '0.0.0.0' || host === 'kubernetes.docker.internal'
}
