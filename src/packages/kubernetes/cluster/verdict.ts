import {isTruthy} from '../../../model/truthy.ts'
import {conditionOf, containersOf, sidecarOf, SIDECAR, statusesOf, type ContainerStatus, type Pod} from './pod.ts'

/** Why an app cannot run in the cluster; a message with what to do. */
export interface AppVerdict {
  readonly message: string
  readonly explanation: string
}

/** Reasons of a waiting container that no waiting repairs. The kubelet tries once more before it says `ImagePullBackOff`. */
const HOPELESS: ReadonlySet<string> = new Set(
  'ImagePullBackOff InvalidImageName ErrImageNeverPull CreateContainerConfigError CreateContainerError RunContainerError'.split(
    ' '
  )
)

/** Why the pod of an app will never run; undefined if it may. Pods that are going are not judged. `context`: that of the cluster. */
export function verdictOf(pod: Pod, id: string, context: string): AppVerdict | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined
  // the template may have turned it off: kubernetes: {annotations: {dapr.io/enabled: "off"}}
  if (sidecarOf(pod) === undefined && isTruthy(pod.metadata.annotations?.['dapr.io/enabled'] ?? 'true'))
    return {
      message: `Dapr did not add a sidecar to "${id}" (pod ${pod.metadata.name})`,
      explanation: `Its injector was not asked, or is down. Look at: kubectl get pods -n dapr-system --context ${context}, kubectl get mutatingwebhookconfigurations dapr-sidecar-injector --context ${context}`
    }
  for (const status of statusesOf(pod)) {
    const {reason = '', message = ''} = status.state?.waiting ?? {}
    if (!HOPELESS.has(reason)) continue
    const whose = status.name === SIDECAR ? `the sidecar of "${id}"` : `"${id}"`
    return {message: `${whose} cannot start: ${reason}, image ${imageOf(pod, status)}`, explanation: message}
  }
  return undefined
}

/** Why no node takes the pod; '' if one does. More nodes may come, so that this is no verdict at once. */
export function unschedulable(pod: Pod): string {
  const condition = conditionOf(pod, 'PodScheduled')
  return condition?.status === 'False' && condition.reason === 'Unschedulable'
    ? (condition.message ?? condition.reason)
    : ''
}

/** The reason why a pod is not ready in time. */
export function waitsFor(pod: Pod): string {
  const reason = unschedulable(pod)
  if (reason !== '') return `no node takes it: ${reason}`
  for (const {name, state, ready} of statusesOf(pod)) {
    if (ready) continue // also an init container that has done its work
    if (state?.waiting !== undefined) return `container ${name}: ${state.waiting.reason ?? 'waiting'}`
    if (state?.terminated !== undefined) return `container ${name} exited with code ${state.terminated.exitCode}`
    return `container ${name} runs, but is not ready`
  }
  return pod.status?.phase ?? 'Pending'
}

const imageOf = ({spec}: Pod, {name, image}: ContainerStatus): string =>
  containersOf({spec}).find(each => each.name === name)?.image ?? image
