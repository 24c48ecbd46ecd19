import {Kubectl} from '#kubernetes'
import {age, created} from '../../age.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {print} from '../../print.ts'
import {tableOf} from '../../table.ts'

/** The keys of `list -k -o json|yaml` (`pkg/kubernetes/list.go` of Dapr's CLI), and the columns of its table. */
const COLUMNS = {
  namespace: 'NAMESPACE',
  appId: 'APP ID',
  appPort: 'APP PORT',
  age: 'AGE',
  created: 'CREATED'
} as const

type Row = Readonly<Record<keyof typeof COLUMNS, string>>

/** A line for each pod: its namespace, the time of its creation, its app id and the app's port. */
const FIELDS = `{range .items[*]}{.metadata.namespace} {.metadata.creationTimestamp} {.metadata.labels.dapr\\.io/app-id} {.metadata.annotations.dapr\\.io/app-port}{"\\n"}{end}`

/** `list -k [--namespace NS] [-A] [-o json|yaml|table]`: all pods with a sidecar. */
export const listInCluster: CommandHandler = async ({flags}) => {
  const output = flags.text('output') ?? ''
  const namespace = flags.text('namespace') ?? ''
  const where = flags.isSet('all-namespaces') || namespace === '' ? ['--all-namespaces'] : []
  const kubectl = new Kubectl(flags.text('context') ?? '', namespace)
  const text = await kubectl.text(['get', 'pods', '-l', 'dapr.io/app-id', ...where, '-o', `jsonpath=${FIELDS}`])
  const lines = text.split('\n').filter(line => line !== '')
  const rows = lines.map(rowOf).toSorted((a, b) => (a.namespace < b.namespace ? 1 : a.namespace > b.namespace ? -1 : 0))
  if (output === 'json') print(process.stdout, JSON.stringify(rows, null, 2))
  else if (output === 'yaml') print(process.stdout, (await import('../../yaml.ts')).plainYaml(rows))
  else print(process.stdout, rows.length === 0 ? 'No Dapr instances found.\n' : table(rows))
  return 0
}

function rowOf(line: string): Row {
  const [namespace = '', createdAt = '', appId = '', appPort = ''] = line.split(' ')
  const at = new Date(createdAt)
  return {namespace, appId, appPort, age: age(Date.now() - at.getTime()), created: created(at)}
}

const table = (rows: readonly Row[]): string =>
  tableOf(Object.entries(COLUMNS).map(([key, head]) => [head, rows.map(row => row[key as keyof Row])]))
