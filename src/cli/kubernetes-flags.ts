import type {Flag} from './flag.ts'

const text = (name: string, words: string, short?: string): Flag => ({
  name,
  type: 'string',
  text: words,
  needsKubernetes: true,
  ...(short !== undefined && {short})
})
const bool = (name: string, words: string): Flag => ({name, type: 'bool', text: words, needsKubernetes: true})

const CONTEXT = text('context', 'With -k: the context of the kubeconfig; default: the current one')
const NAMESPACE = text('namespace', "With -k: the namespace; default: the context's", 'n')
const YES = bool('yes', 'With -k: do not ask before using a cluster that is not on this machine')

/** Flags of `run -k`. */
export const RUN_IN_CLUSTER: readonly Flag[] = [
  bool('build', 'With -k: build an image for each app that has a Dockerfile and no containerImage'),
  CONTEXT,
  bool('diff', 'With -k: show what would change in the cluster, and change nothing'),
  bool('dry-run', 'With -k: have the API server check everything, and change nothing'),
  NAMESPACE,
  text('registry', 'With -k --build: push the images to HOST/PATH'),
  {...text('timeout', 'With -k: how long apps may take to become ready'), shown: '"5m"'},
  YES
]

/** Flags of `stop -k`. */
export const STOP_IN_CLUSTER: readonly Flag[] = [CONTEXT, NAMESPACE, YES]

/** Flags that say which cluster is read. */
export const READ_CLUSTER: readonly Flag[] = [CONTEXT]

/** Flags of `logs -k`. */
export const LOGS_IN_CLUSTER: readonly Flag[] = [
  {name: 'kubernetes', short: 'k', type: 'bool', text: 'Show the log of the sidecar of an app in a Kubernetes cluster'},
  bool('app', "With -k: show the app's lines, from all its pods, instead of its sidecar's"),
  CONTEXT,
  NAMESPACE,
  text('pod-name', 'With -k: the pod; default: the first one', 'p')
]
