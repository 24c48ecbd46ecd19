import {Kubectl, kindsIn, MANAGED_BY, MANAGER, takeDown, TEMPLATE_LABEL, templateLabel, SIDECAR} from '#kubernetes'
import {isLoopback} from '../../../../model/address.ts'
import {UserError} from '../../../../model/errors.ts'
import type {GivenFlags} from '../../given-flags.ts'
import {confirm} from '../../input.ts'
import {loadTemplate} from '../../../../files/config/load.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {idsOf} from '../../run-here.ts'
import {say} from '../../say.ts'
import {surroundings} from '../../template-named.ts'
import {structured} from '../../structured.ts'
import {endWithStdout, writeBytes, print} from '../../print.ts'
import {appPrefix, prefixed} from '../../../../model/text-lines.ts'
import {terminalText} from '../../../../observe/logging/terminal-text.ts'
import {tailOf} from '../../log-lines.ts'
import {age, created} from '../../../../model/duration.ts'
import {tableOf} from '../../table.ts'

/** Names that tools for local clusters give to their contexts. */
const LOCAL_NAME = /^(?:kind-.*|k3d-.*|minikube|docker-desktop|rancher-desktop|orbstack|colima|microk8s)$/
const FIELDS = '{.current-context}{"\\n"}{.clusters[0].cluster.server}{"\\n"}{.contexts[0].context.namespace}'

/**
 * Returns kubectl for the context and namespace of `--context` and `--namespace`. Asks the user before a change in a cluster that is not on
 * this machine. `change`: the change in words; '': the command only reads. Rejects with a UserError, also for a refused flag.
 */
export async function openCluster(flags: GivenFlags, refused: readonly string[], change = ''): Promise<Kubectl> {
  const bad = refused.find(name => flags.names.includes(name))
  if (bad !== undefined) throw new UserError(`--${bad} is not supported with --kubernetes: leave it out`)
  const given = new Kubectl(flags.text('context') ?? '', flags.text('namespace') ?? '')
  const view = await given.text(['config', 'view', '--minify', '-o', `jsonpath=${FIELDS}`])
  const [context = '', server = '', namespace = ''] = view.split('\n')
  const kubectl = new Kubectl(context, given.namespace || namespace || 'default')
  const where = `context "${context}", server ${server}, namespace "${kubectl.namespace}"`
  if (change !== '' && !LOCAL_NAME.test(context) && !isHere(server))
    await confirm(`${change} in a cluster that is not on this machine: ${where}`, flags.isSet('yes'))
  return kubectl
}

/** Whether the URL of an API server names this machine. */
function isHere(server: string): boolean {
  const host = URL.parse(server)?.hostname.replaceAll(/^\[|\]$/g, '') ?? ''
  return isLoopback(host) || host === '0.0.0.0' || host === 'kubernetes.docker.internal'
}

/** `stop -k -f PATH`, `stop -k ID …`: deletes, by label, the objects that runs created: for the template, for these apps, or with both for these apps of the template. Exits with 0 even if there are none. */
export const stopInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const files = flags.list('run-file').filter(file => file !== '')
  const ids = idsOf({words, flags})
  if (files.length === 0 && ids.length === 0)
    throw new UserError('nothing to stop: add --run-file PATH, or the ids of apps')
  const plan = files.length === 0 ? undefined : (await loadTemplate(files, surroundings(), {watch: false})).plan
  const change = `delete ${ids.length > 0 ? ids.join(', ') : 'what a template made'}`
  const kubectl = await openCluster(flags, ['name', 'version'], change)
  const now = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => now.abort())
  const label = plan === undefined ? `${MANAGED_BY}=${MANAGER}` : `${TEMPLATE_LABEL}=${templateLabel(plan)}`
  let count = 0
  await takeDown({
    kubectl,
    label: ids.length === 0 ? label : `${label},app in (${ids.join(',')})`,
    kinds: await kindsIn(kubectl),
    apps: plan?.apps ?? [],
    say(sign, line) {
      count++
      say(process.stdout, sign, line, asJson)
    },
    now: now.signal
  })
  const what = ids.length > 0 ? ids.join(', ') : `the run file "${files.join('" and "')}"`
  const nothing = `Failed to stop: there is nothing of ${what} in the namespace "${kubectl.namespace}"`
  if (count > 0) say(process.stdout, 'success', 'Dapr and app processes stopped successfully', asJson)
  else say(process.stderr, 'failure', nothing, asJson)
  return 0
}

/** `logs -k -a ID [-p POD] [-n NS] [-f] [--tail N] [--app]`: the log of a sidecar, as in Dapr's CLI, or of the app. */
export const logsInCluster: CommandHandler = async ({flags, words, asJson}) => {
  const [id = '', ...others] = idsOf({words, flags})
  if (id === '') throw new UsageError('required flag(s) "app-id" not set')
  if (others.length > 0) throw new UsageError('logs -k takes the id of one app')
  endWithStdout() // ends the command with its reader: `logs | head`
  const kubectl = await openCluster(flags, ['grep', 'run-file', 'name', 'since', 'timestamps', 'version'])
  const isApp = flags.isSet('app')
  const tail = tailOf(flags)
  const pod = flags.text('pod-name') ?? ''
  const args = [
    ...(pod === '' ? ['-l', `dapr.io/app-id=${id}`] : [pod]),
    `--container=${isApp ? id : SIDECAR}`,
    ...(flags.isSet('follow') ? ['-f'] : []),
    '--ignore-errors',
    '--max-log-requests=200',
    `--tail=${tail === Infinity ? -1 : tail}`
  ]
  const said = await kubectl.lines(['logs', ...args], async line => {
    const text = process.stdout.isTTY ? terminalText(`${line}\n`) : `${line}\n`
    await writeBytes(process.stdout, isApp ? prefixed(text, appPrefix(id)) : text)
  })
  if (said.startsWith('No resources found'))
    throw new UserError(`could not get logs. Please check app-id (${id}) and namespace (${kubectl.namespace})`)
  if (!isApp) say(process.stdout, 'success', 'Fetched logs', asJson)
  return 0
}

/** The keys of `list -k -o json|yaml` (`pkg/kubernetes/list.go` of Dapr's CLI), and the columns of its table. */
const COLUMNS = ['namespace', 'appId', 'appPort', 'age', 'created'] as const

type Row = Readonly<Record<(typeof COLUMNS)[number], string>>

const headOf = (key: string): string => key.replace(/[A-Z]/, ' $&').toUpperCase()

/** A line for each pod: its namespace, the time of its creation, its app id and the app's port. */
const POD_FIELDS = `{range .items[*]}{.metadata.namespace} {.metadata.creationTimestamp} {.metadata.labels.dapr\\.io/app-id} {.metadata.annotations.dapr\\.io/app-port}{"\\n"}{end}`

/** `list -k [--namespace NS] [-A] [-o json|yaml|table]`: all pods with a sidecar. */
export const listInCluster: CommandHandler = async ({flags}) => {
  const output = flags.text('output') ?? ''
  const namespace = flags.text('namespace') ?? ''
  const where = flags.isSet('all-namespaces') || namespace === '' ? ['--all-namespaces'] : []
  const kubectl = new Kubectl(flags.text('context') ?? '', namespace)
  const text = await kubectl.text(['get', 'pods', '-l', 'dapr.io/app-id', ...where, '-o', `jsonpath=${POD_FIELDS}`])
  const lines = text.split('\n').filter(line => line !== '')
  const rows = lines.map(rowOf).toSorted((a, b) => b.namespace.localeCompare(a.namespace, 'en'))
  if (output === 'json' || output === 'yaml') print(process.stdout, await structured(rows, output))
  else if (rows.length === 0) print(process.stdout, 'No Dapr instances found.\n')
  else print(process.stdout, tableOf(COLUMNS.map(key => [headOf(key), rows.map(row => row[key])])))
  return 0
}

function rowOf(line: string): Row {
  const [namespace = '', createdAt = '', appId = '', appPort = ''] = line.split(' ')
  const at = new Date(createdAt)
  return {namespace, appId, appPort, age: age(Date.now() - at.getTime()), created: created(at)}
}
