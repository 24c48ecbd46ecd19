/** A template for Kubernetes and compose, as files; and a cluster, which runs them. */
export {openAccess, type ClusterAccess} from './cluster/access.ts'
export type {AppLogs} from './cluster/app-logs.ts'
export {checkObjects, daprKinds, readCluster, type CheckedChanges, type ClusterFacts} from './cluster/check.ts'
export type {AppProgress, ClusterEvent} from './cluster/cluster-event.ts'
export {ClusterRun, type ClusterRunOptions} from './cluster/cluster-run.ts'
export {deployFiles} from './cluster/deploy-files.ts'
export {Kubectl} from './cluster/kubectl.ts'
export {APPLY, listText, objectName} from './cluster/live-object.ts'
export {SIDECAR, type Pod} from './cluster/pod.ts'
export {daprPods, type DaprPod} from './cluster/pods.ts'
export {takeDown} from './cluster/take-down.ts'
export {COMPOSE_HEADER, composeFile} from './compose.ts'
export {buildImages, placeholders, unbuiltIn} from './images/build-images.ts'
export {
  MANAGED_BY,
  MANAGER,
  TEMPLATE_LABEL,
  objectsOf,
  templateLabel,
  type AppObjects,
  type KubernetesObject,
  type TemplateObjects
} from './object.ts'
export {templateObjects} from './objects.ts'
export type {Image} from './pod.ts'
export {kubernetesFiles, kubernetesText, writeFile, writeFiles, yamlText} from './write-files.ts'
