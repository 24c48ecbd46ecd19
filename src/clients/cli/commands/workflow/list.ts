import type {Workflow} from '../../../../model/api.generated.ts'
import type {FoundRun} from '../../../../control/client.ts'
import {UserError} from '../../../../model/errors.ts'
import {STATUSES} from '../../../../work/workflow/status.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../../command-handler.ts'
import {indentedGoJson} from '../../indented-go-json.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {shortList, sorted, wideList, wideRow} from '../../workflow-tables.ts'
import {readMoment} from './moment.ts'
import {runOf} from './target.ts'

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
      return indentedGoJson(workflows.map(each => wideRow(each, namespace)))
    case 'yaml':
      return (await import('../../yaml.ts')).plainYaml(workflows.map(each => wideRow(each, namespace)))
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

/** Filters as the API has them. Throws a UsageError in Dapr's words. */
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

/** Throws a UsageError in Dapr's words. */
export function checkedStatus(status: string, flag: string): string {
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
