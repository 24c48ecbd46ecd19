import type {AppObjects, KubernetesObject, ResourceObject} from '../object.ts'

/** What a run on Kubernetes reports to the terminal. */
export type ClusterEvent =
  /** A resource of Dapr was applied; `shownAs` is its file. */
  | ({readonly type: 'resource-applied'} & ResourceObject)
  /** An app is being deployed, with these files of what is applied; '' = none could be written. */
  | {readonly type: 'app-deploying'; readonly app: AppObjects; readonly files: readonly DeployFile[]}
  /** The logs of a pod of an app are followed from now on. */
  | {readonly type: 'pod-found'; readonly app: AppObjects; readonly pod: string; readonly isFirst: boolean}
  /** Something about an app has changed: how far it is. */
  | {readonly type: 'app-moved'; readonly id: string; readonly progress: AppProgress; readonly detail: string}
  | {readonly type: 'all-ready'; readonly count: number; readonly ms: number; readonly changed: number}
  /** A container of an app ended by itself. */
  | {readonly type: 'container-exited'; readonly text: string; readonly isHealthy: boolean}
  /** An object that the template does not have any more was deleted. */
  | {readonly type: 'pruned'; readonly object: KubernetesObject}
  /** The run ends and takes back what it made. */
  | {readonly type: 'stopping'}
  | {readonly type: 'app-deleting'; readonly id: string; readonly objects: readonly KubernetesObject[]}
  | {readonly type: 'warned'; readonly text: string}

export type AppProgress = 'waiting' | 'deploying' | 'starting' | 'ready' | 'completed' | 'failed'

/** One object of an app as a file next to the app. */
export interface DeployFile {
  readonly kind: string
  readonly path: string
}
