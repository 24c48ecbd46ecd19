import type {LiveObject} from './object-store.ts'
import type {PodCondition, Pod} from './pod.ts'

/** A Deployment as the API server has it (`apps/v1`). */
interface DeploymentParts {
  readonly spec?: {readonly replicas?: number}
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
    readonly conditions?: readonly PodCondition[]
  }
}

/** Whether all pods are of the newest version and ready; the same rule as `kubectl rollout status`. */
export function isRolledOut(live: LiveObject): boolean {
  const {spec, status = {}} = live as DeploymentParts
  const {replicas = 0, updatedReplicas = 0, availableReplicas = 0} = status
  if ((status.observedGeneration ?? 0) < (live.metadata.generation ?? 0)) return false
  return updatedReplicas >= (spec?.replicas ?? 1) && replicas <= updatedReplicas && availableReplicas >= updatedReplicas
}

/**
 * What a condition says that is true of a workload, '' if it is not. `ReplicaFailure`: why a Deployment gets no pods: a quota, a missing
 * service account …; `Failed`: why a Job failed; `SuccessCriteriaMet`: why it need not go on.
 */
export function conditionText(live: LiveObject | undefined, name: string): string {
  const {status} = (live ?? {}) as DeploymentParts
  const condition = status?.conditions?.find(({type, status: is}) => type === name && is === 'True')
  return condition === undefined ? '' : (condition.message ?? condition.reason ?? 'unknown')
}

/** The exit codes of a Job's own container, of each pod in which it has ended. Its sidecar may never end, so that the Job stays active. */
export const jobExits = (pods: readonly Pod[], id: string): readonly number[] =>
  pods.flatMap(
    ({status}) => status?.containerStatuses?.find(({name}) => name === id)?.state?.terminated?.exitCode ?? []
  )
