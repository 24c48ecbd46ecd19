/** Exports of a template as files for Kubernetes and compose, and its run on a cluster. */
export {checkObjects, kindsIn, readCluster} from './cluster/check.ts'
export {ClusterRun, takeDown} from './cluster/cluster-run.ts'
export {Kubectl, type Say} from './cluster/kubectl.ts'
export {SIDECAR} from './cluster/pods.ts'
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
export {kubernetesFiles, kubernetesText, writeFile, writeFiles, yamlText} from './write-files.ts'
