import {podsOf, type Pod} from '#kubernetes'
import {age, created} from '../../age.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {print} from '../../print.ts'
import {tableOf} from '../../table.ts'
import {kubectlFor} from './open-cluster.ts'

/** The keys of `list -k -o json|yaml` (`pkg/kubernetes/list.go` of Dapr's CLI), and the columns of its table. */
const COLUMNS = {
  namespace: 'NAMESPACE',
  appId: 'APP ID',
  appPort: 'APP PORT',
  age: 'AGE',
  created: 'CREATED'
} as const

type Row = Readonly<Record<keyof typeof COLUMNS, string>>

/** `list -k [--namespace NS] [-A] [-o json|yaml|table]`: all pods with a sidecar. */
export const listInCluster: CommandHandler = async ({flags}) => {
  const output = flags.text('output') ?? ''
  const isEverywhere = flags.isSet('all-namespaces') || (flags.text('namespace') ?? '') === ''
  const pods = await podsOf(kubectlFor(flags), '-l', 'dapr.io/app-id', ...(isEverywhere ? ['--all-namespaces'] : []))
  const rows = pods.map(rowOf).toSorted((a, b) => (a.namespace < b.namespace ? 1 : a.namespace > b.namespace ? -1 : 0))
  if (output === 'json') print(process.stdout, JSON.stringify(rows, null, 2))
  else if (output === 'yaml') print(process.stdout, (await import('../../yaml.ts')).plainYaml(rows))
  else print(process.stdout, rows.length === 0 ? 'No Dapr instances found.\n' : table(rows))
  return 0
}

function rowOf({metadata: {namespace, labels = {}, annotations = {}, creationTimestamp}}: Pod): Row {
  const at = new Date(creationTimestamp)
  const [appId = '', appPort = ''] = [labels['dapr.io/app-id'], annotations['dapr.io/app-port']]
  return {namespace, appId, appPort, age: age(Date.now() - at.getTime()), created: created(at)}
}

const table = (rows: readonly Row[]): string =>
  tableOf(Object.entries(COLUMNS).map(([key, head]) => [head, rows.map(row => row[key as keyof Row])]))
