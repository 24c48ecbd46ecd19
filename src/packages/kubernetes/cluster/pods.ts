import {decoded} from '../../../model/bytes.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {isTruthy} from '../../../model/truthy.ts'
import {pause} from '../../../platform/delay.ts'
import {STREAM_LIMIT, type Kubectl} from './kubectl.ts'

/** The part of a pod that we read (`core/v1`). */
export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
  }
  readonly spec: {readonly containers: readonly Container[]; readonly initContainers?: readonly Container[]}
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly {readonly type: string; readonly status: string; readonly message?: string}[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

interface Container {
  readonly name: string
  readonly args?: readonly string[]
}

interface ContainerStatus {
  readonly name: string
  readonly restartCount: number
  readonly containerID?: string
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

interface ContainerState {
  readonly waiting?: {readonly reason?: string; readonly message?: string}
  readonly terminated?: {readonly exitCode: number; readonly containerID?: string}
}

/** The name of the container that Dapr's injector adds. */
export const SIDECAR = 'daprd'

/** All containers of a pod; Dapr's sidecar may be an init container that keeps running. */
export const containersOf = ({spec}: Pick<Pod, 'spec'>): readonly Container[] =>
  [spec.initContainers ?? [], spec.containers].flat()

export const statusesOf = ({status}: Pick<Pod, 'status'>): readonly ContainerStatus[] =>
  [status?.initContainerStatuses ?? [], status?.containerStatuses ?? []].flat()

/** Reasons of a waiting container that time does not repair. The kubelet retries once before it reports `ImagePullBackOff`. */
const HOPELESS =
  /^(?:ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainerConfigError|CreateContainerError|RunContainerError)$/
/** A container that ends after this many restarts keeps ending. */
const MAX_RESTARTS = 5

/** Returns why a pod of an app will not run; '' if it may. `context`: that of the cluster. */
export function verdictOf(pod: Pod, id: string, context: string): string {
  const isInjected = containersOf(pod).some(({name}) => name === SIDECAR)
  // the template may turn the sidecar off: kubernetes: {annotations: {dapr.io/enabled: "off"}}
  if (!isInjected && isTruthy(pod.metadata.annotations?.['dapr.io/enabled'] ?? 'true'))
    return `Dapr did not add a sidecar to "${id}" (pod ${pod.metadata.name}): its injector was not asked, or is down. Look at: kubectl get pods -n dapr-system --context ${context}`
  for (const {name, state, restartCount} of statusesOf(pod)) {
    const {reason = '', message = ''} = state?.waiting ?? {}
    if (HOPELESS.test(reason)) return `${containerName(name, id)} cannot start: ${reason}: ${message}`
    if (restartCount >= MAX_RESTARTS && (state?.terminated !== undefined || reason === 'CrashLoopBackOff'))
      return `${containerName(name, id)} ended again after ${restartCount} restarts`
  }
  return ''
}

/** Returns why no node takes a pod; '' if one does. More nodes may come. */
export function unschedulable({status}: Pod, id: string): string {
  const found = status?.conditions?.find(({type, status: is}) => type === 'PodScheduled' && is === 'False')
  return found === undefined ? '' : `no node takes "${id}": ${found.message}`
}

export const containerName = (name: string, id: string): string => (name === id ? `"${id}"` : `${name} of "${id}"`)

/** Calls `changed` with each pod of a label, and again whenever it changes, until the signal. Starts kubectl again when the API server ends the watch. */
export async function watchPods(
  kubectl: Kubectl,
  label: string,
  {changed, warn, signal}: {changed: (pod: Pod) => void; warn: (text: string) => void; signal: AbortSignal}
): Promise<void> {
  const args = ['get', 'pods', '-l', label, '-w', '-o', 'jsonpath={@}{"\\n"}', STREAM_LIMIT]
  let isTroubled = false
  const onLine = (line: string): void => {
    changed(JSON.parse(decoded(line)) as Pod)
    isTroubled = false
  }
  for (; !signal.aborted; await pause(1000, signal))
    await kubectl.lines(args, onLine, signal).catch((error: unknown) => {
      if (!isTroubled && !signal.aborted) warn(`logs and states may be old; still trying: ${messageOf(error)}`)
      isTroubled = true
    })
}

/** Returns the pods in the namespace of kubectl that `flags` select. Rejects with a UserError. */
export async function podsOf(kubectl: Kubectl, ...flags: readonly string[]): Promise<readonly Pod[]> {
  const {items} = await kubectl.json<{readonly items?: readonly Pod[]}>(['get', 'pods', ...flags])
  if (Array.isArray(items)) return items as readonly Pod[]
  throw new UserError('the server of the context is not a Kubernetes API server: it sends no list of pods')
}
