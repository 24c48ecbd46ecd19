import type {Workflow} from '../../../../model/api.generated.ts'
import type {FoundRun} from '../../../../control/client.ts'
import {UserError} from '../../../../model/errors.ts'
import {STATUSES, isTerminal} from '../../../../work/workflow/status.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../../command-handler.ts'
import {structured} from '../../structured.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {shortList, sorted, wideList, wideRow} from '../../workflow-tables.ts'
import {readMoment, runOf, appIn} from './target.ts'

const FILTERS = ['filter-name', 'filter-status', 'filter-max-age']
const PAGE = 1000

/** `workflow list`: the workflows of one app, or of all apps of a run. */
export const listWorkflows: CommandHandler = async context => {
  const {flags, words, asJson} = context
  if (words.length > 0) throw new UsageError(`unknown command "${words[0] ?? ''}" for "pillion workflow list"`)
  const output = flags.text('output') ?? 'short'
  if (output === 'ids' && FILTERS.some(name => flags.names.includes(name)))
    throw new UserError(
      'filters cannot be combined with --output=ids; rerun without filters or use a different output format'
    )
  const query = queryOf(context)
  const run = await runOf(context)
  const workflows = sorted(await allOf(run, query))
  const namespace = flags.text('namespace') ?? 'default'
  if (workflows.length === 0) {
    const {app = onlyAppOf(run)} = query
    const of = app === '' ? '' : ` for app ID "${app}"`
    say(process.stderr, 'failure', `No workflow found in namespace "${namespace}"${of}`, asJson)
    return 0
  }
  print(process.stdout, await shown(workflows, output, namespace))
  return 0
}

async function shown(workflows: readonly Workflow[], output: string, namespace: string): Promise<string> {
  switch (output) {
    case 'json':
    case 'yaml':
      return structured(
        workflows.map(each => wideRow(each, namespace)),
        output
      )
    case 'wide':
      return wideList(workflows, namespace)
    case 'ids':
      return workflows.map(({id}) => `${id}\n`).join('')
    default:
      return shortList(workflows, Date.now())
  }
}

const onlyAppOf = ({listing: {apps}}: FoundRun): string => {
  const [id = '', ...others] = new Set(apps.map(each => each.id))
  return others.length === 0 ? id : ''
}

/** Converts the filter flags into a query of the run's API. Throws a UsageError in Dapr's words. */
function queryOf({flags}: CommandContext): Readonly<Record<string, string>> {
  const query: Record<string, string> = {}
  const [app, name, status, age] = ['app-id', ...FILTERS].map(flag => flags.text(flag))
  if (app !== undefined) query['app'] = app
  if (name !== undefined) query['name'] = name
  if (status !== undefined) query['status'] = checkedStatus(status, 'filter-status')
  if (age !== undefined)
    query['since'] = new Date(readMoment(age, 'filter-max-age', {isPast: true, now: Date.now()})).toISOString()
  return query
}

/** Returns the value of a flag if it is a status of workflows. Throws a UsageError in Dapr's words. */
function checkedStatus(status: string, flag: string): string {
  if (STATUSES.includes(status)) return status
  throw new UsageError(`invalid value for --${flag}. Supported values are ${STATUSES.join(', ')}`)
}

async function allOf({api}: FoundRun, query: Readonly<Record<string, string>>): Promise<readonly Workflow[]> {
  const all: Workflow[] = []
  let before: number | undefined
  do {
    const page = {...query, limit: PAGE, ...(before !== undefined && {before})}
    const {workflows, next} = await api.ask('GET /workflows', {query: page})
    all.push(...workflows)
    before = next ?? undefined
  } while (before !== undefined)
  return all
}

/** `workflow purge [ID…]`: removes the named workflows, or all. Workflows that are not over need `--force`. */
export const purgeWorkflows: CommandHandler = async context => {
  const {words, asJson} = context
  checkUse(context)
  const body = bodyOf(context)
  const {api} = await runOf(context)
  const {purged, count} = await api.ask('POST /workflows/purge', {body: {...appIn(context), ...body, ids: words}})
  const children = count > purged.length ? `, with ${count - purged.length} that they have started` : ''
  say(process.stdout, 'info', `Purging ${purged.length} workflow instance(s)${children}`, asJson)
  for (const {id} of purged) say(process.stdout, 'success', `Purged workflow instance "${id}"`, asJson)
  return 0
}

/** Throws a UsageError in Dapr's words (cmd/workflow/purge.go). */
function checkUse({flags, words}: CommandContext): void {
  const [isAll, older, status] = [flags.isSet('all'), flags.text('all-older-than'), flags.text('all-filter-status')]
  const clash = older === undefined ? (status === undefined ? '' : 'all-filter-status') : 'all-older-than'
  if (isAll && clash !== '')
    throw new UsageError(
      `if any flags in the group [${clash} all] are set none of the others can be; [all ${clash}] were all set`
    )
  if (isAll || older !== undefined) {
    if (words.length > 0) throw new UsageError('no arguments are accepted when using purge all flags')
  } else if (status !== undefined) throw new UsageError('--all-filter-status can only be used with --all-older-than')
  else if (words.length === 0)
    throw new UsageError('one or more workflow instance ID arguments are required when not using purge all flags')
  if (status === undefined) return
  checkedStatus(status, 'all-filter-status')
  if (!isTerminal(STATUSES.indexOf(status)) && !flags.isSet('force'))
    throw new UsageError(`--force is required when using --all-filter-status with a non-terminal status (${status})`)
}

function bodyOf({flags}: CommandContext): object {
  const [older, status] = [flags.text('all-older-than'), flags.text('all-filter-status')]
  return {
    force: flags.isSet('force'),
    all: flags.isSet('all') || older !== undefined,
    ...(status !== undefined && {status}),
    ...(older !== undefined && {
      until: new Date(readMoment(older, 'all-older-than', {isPast: true, now: Date.now()})).toISOString()
    })
  }
}
