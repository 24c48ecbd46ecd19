import {daprPods, type DaprPod} from '#kubernetes'
import {age, created} from '../../age.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {print} from '../../print.ts'
import {tableOf} from '../../table.ts'
import {kubectlFor} from './open-cluster.ts'

/** The keys of `list -k -o json|yaml` (`pkg/kubernetes/list.go` of Dapr's CLI). */
interface Row {
  readonly namespace: string
  readonly appId: string
  readonly appPort: string
  readonly age: string
  readonly created: string
}

/** `list -k [--namespace NS] [-A] [-o json|yaml|table]`: all pods with a sidecar, also where that is an init container. */
export const listInCluster: CommandHandler = async ({flags}) => {
  const output = flags.text('output') ?? ''
  const isEverywhere = flags.isSet('all-namespaces') || (flags.text('namespace') ?? '') === ''
  const pods = await daprPods(kubectlFor(flags), {isEverywhere})
  const now = Date.now()
  const rows = pods
    .map(pod => rowOf(pod, now))
    .toSorted((a, b) => (a.namespace < b.namespace ? 1 : a.namespace > b.namespace ? -1 : 0))
  if (output === 'json') print(process.stdout, JSON.stringify(rows, null, 2))
  else if (output === 'yaml') print(process.stdout, (await import('../../yaml.ts')).plainYaml(rows))
  else print(process.stdout, rows.length === 0 ? 'No Dapr instances found.\n' : table(rows))
  return 0
}

function rowOf({pod: {metadata}, appId, appPort}: DaprPod, now: number): Row {
  const at = new Date(metadata.creationTimestamp)
  return {namespace: metadata.namespace, appId, appPort, age: age(now - at.getTime()), created: created(at)}
}

const table = (rows: readonly Row[]): string =>
  tableOf([
    ['NAMESPACE', rows.map(({namespace}) => namespace)],
    ['APP ID', rows.map(({appId}) => appId)],
    ['APP PORT', rows.map(({appPort}) => appPort)],
    ['AGE', rows.map(row => row.age)],
    ['CREATED', rows.map(row => row.created)]
  ])
