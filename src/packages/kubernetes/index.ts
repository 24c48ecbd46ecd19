/** A template for Kubernetes and compose, as files; and a cluster, which runs them. */
export {ClusterClient} from './cluster/api-client.ts'
export {ClusterError, asUserError} from './cluster/api-error.ts'
export type {AppLogs} from './cluster/app-deployment.ts'
export {isSame} from './cluster/apply.ts'
export {
  checkObjects,
  hasNativeSidecars,
  requireDapr,
  requireNamespace,
  requireRights,
  type Change,
  type CheckedChanges
} from './cluster/check.ts'
export type {AppProgress, ClusterEvent} from './cluster/cluster-event.ts'
export {ClusterRun, type ClusterRunOptions} from './cluster/cluster-run.ts'
export {daprPods, type DaprPod} from './cluster/dapr-pods.ts'
export {deployFiles} from './cluster/deploy-files.ts'
export {openAccess, type ClusterAccess} from './cluster/kubeconfig.ts'
export {ObjectStore, objectName, type LiveObject} from './cluster/object-store.ts'
export {SIDECAR, type Pod} from './cluster/pod.ts'
export {takeDown, type TakeDownOptions} from './cluster/take-down.ts'
export {COMPOSE_HEADER, composeFile} from './compose.ts'
export {buildImages, placeholders, unbuiltIn} from './images/build-images.ts'
export {
  MANAGED_BY,
  MANAGER,
  TEMPLATE_LABEL,
  secretName,
  templateLabel,
  type AppObjects,
  type KubernetesObject
} from './object.ts'
export {templateObjects} from './objects.ts'
export type {Image} from './pod.ts'
export {kubernetesFiles, kubernetesText, writeFile, writeFiles, yamlText} from './write-files.ts'
