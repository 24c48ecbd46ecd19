import type {AppObjects, KubernetesObject, ResourceObject} from '../object.ts'

/** An event of a run on Kubernetes, for the terminal. */
export type ClusterEvent =
  /** A resource of Dapr was applied; `shownAs` is its file. */
  | ({readonly type: 'resource-applied'} & ResourceObject)
  /** An app is being deployed; `files` hold its objects. */
  | {readonly type: 'app-deploying'; readonly app: AppObjects; readonly files: readonly DeployFile[]}
  /** The logs of a pod are followed from now on. */
  | {readonly type: 'pod-found'; readonly app: AppObjects; readonly pod: string; readonly isFirst: boolean}
  | {readonly type: 'app-moved'; readonly id: string; readonly progress: AppProgress; readonly detail: string}
  | {readonly type: 'all-ready'; readonly count: number; readonly ms: number; readonly isUnchanged: boolean}
  /** A container of an app ended by itself. */
  | {readonly type: 'container-exited'; readonly text: string; readonly isHealthy: boolean}
  /** An object that the template no longer has was deleted. */
  | {readonly type: 'pruned'; readonly object: KubernetesObject}
  | {readonly type: 'stopping'}
  | {readonly type: 'app-deleting'; readonly app: AppObjects}
  | {readonly type: 'warned'; readonly text: string}

export type AppProgress = 'waiting' | 'deploying' | 'starting' | 'ready' | 'completed' | 'failed'

/** Object of an app in a file next to the app. */
export interface DeployFile {
  readonly kind: string
  /** Absolute path; '' if the file could not be written. */
  readonly path: string
}
