/** A template for Kubernetes and compose, as files; and a cluster, which runs them. */
export {openAccess, type ClusterAccess} from './cluster/access.ts'
export {allObjects, APP_KINDS, checkObjects, kindsIn, listText, readCluster} from './cluster/check.ts'
export {ClusterRun} from './cluster/cluster-run.ts'
export type {Say} from './cluster/kubectl.ts'
export {Kubectl} from './cluster/kubectl.ts'
export {podsOf, SIDECAR, type Pod} from './cluster/pods.ts'
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
