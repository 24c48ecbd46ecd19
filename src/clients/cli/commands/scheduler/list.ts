import type {Scheduled} from '../../../../model/api.generated.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../../command-handler.ts'
import {relativeTime} from '../../../../model/duration.ts'
import {structured} from '../../structured.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {tableOf} from '../../table.ts'
import {UserError} from '../../../../model/errors.ts'
import {runOf} from '../workflow/target.ts'

export const schedulerList: CommandHandler = async context => {
  const {flags, words, asJson} = context
  if (words.length > 0) throw new UsageError(`unknown command "${words[0] ?? ''}" for "pillion scheduler list"`)
  const filter = flags.text('filter') ?? 'all'
  const {api} = await runOf(context)
  const {now, scheduled} = await api.ask('GET /scheduled', {query: {filter}})
  if (scheduled.length === 0)
    say(process.stderr, 'failure', `No jobs found in namespace "${shownNamespace(context)}"`, asJson)
  else print(process.stdout, await shown(scheduled, Date.parse(now), context))
  return 0
}

export const schedulerGet: CommandHandler = async context => {
  const names = checkedNames(context)
  const {api} = await runOf(context)
  const {now, scheduled} = await api.ask('GET /scheduled', {query: {filter: 'all'}})
  const found = names.map(name => {
    const row = scheduled.find(each => each.name === name)
    if (row === undefined) throw new UserError(`job '${name}' not found`)
    return row
  })
  print(process.stdout, await shown(found, Date.parse(now), context))
  return 0
}

/** Returns `--namespace`, which is only printed: a run has no namespaces. */
const shownNamespace = ({flags}: CommandContext): string => flags.text('namespace') ?? 'default'

async function shown(rows: readonly Scheduled[], now: number, context: CommandContext): Promise<string> {
  const wide = rows.map(row => wideRow(row, shownNamespace(context)))
  const output = context.flags.text('output') ?? 'short'
  switch (output) {
    case 'json':
    case 'yaml':
      return structured(wide, output)
    case 'wide':
      return tableOf(
        Object.entries(HEADS).map(([key, head]) => [head, wide.map(row => String(row[key as keyof WideRow] ?? ''))])
      )
    default:
      return tableOf([
        ['NAME', rows.map(({name}) => name)],
        ['BEGIN', rows.map(({begin}) => relativeTime(Date.parse(begin), now))],
        ['COUNT', rows.map(({count}) => count.toString())],
        ['LAST TRIGGER', rows.map(({last}) => (last === null ? '' : relativeTime(Date.parse(last), now)))]
      ])
  }
}

const HEADS = {
  namespace: 'NAMESPACE',
  name: 'NAME',
  begin: 'BEGIN',
  expiration: 'EXPIRATION',
  schedule: 'SCHEDULE',
  dueTime: 'DUE TIME',
  ttl: 'TTL',
  repeats: 'REPEATS',
  count: 'COUNT',
  lastTrigger: 'LAST TRIGGER'
} as const

type WideRow = Readonly<Partial<Record<keyof typeof HEADS, string | number>>>

/** Returns a row with the keys of Dapr's CLI, in their order; missing values are left out. */
const wideRow = (row: Scheduled, namespace: string): WideRow => ({
  namespace,
  name: row.name,
  begin: row.begin,
  ...(row.expires !== null && {expiration: row.expires}),
  ...(row.schedule !== null && {schedule: row.schedule}),
  ...(row.dueTime !== null && {dueTime: row.dueTime}),
  ...(row.ttl !== null && {ttl: row.ttl}),
  ...(row.repeats !== null && {repeats: row.repeats}),
  count: row.count,
  ...(row.last !== null && {lastTrigger: row.last})
})

/** Formats of the names of each kind (Dapr's CLI: pkg/scheduler/stored). */
const FORMATS = [
  'app/{app ID}/{job name}',
  'actor/{actor type}/{actor id}/{name}',
  'workflow/{app ID}/{instance ID}/{name}',
  'activity/{app ID}/{activity ID}'
]

/** Returns the names that a command has been given. Throws a UserError in Dapr's words for a wrong name. */
function checkedNames({words}: CommandContext): readonly string[] {
  if (words.length === 0) throw new UsageError('requires at least 1 arg(s), only received 0')
  for (const word of words) {
    const parts = word.split('/')
    const format = FORMATS.find(each => each.startsWith(`${parts[0] ?? ''}/`))
    if (format === undefined)
      throw new UserError(`unsupported job type '${parts[0] ?? ''}', accepts 'app', 'actor', 'workflow', or 'activity'`)
    if (parts.length < format.split('/').length || parts.includes(''))
      throw new UserError(`expecting job key to be in format '${format}', got '${word}'`)
  }
  return words
}

/** Returns the scope of `delete-all`. Throws a UserError. */
function checkedScope({words}: CommandContext): string {
  const [word = ''] = words
  if (words.length !== 1) throw new UsageError(`accepts 1 arg(s), received ${words.length}`)
  const [kind = '', ...parts] = word.split('/')
  const most = {all: 0, app: 1, actor: 2, workflow: 2}[kind]
  if (most !== undefined && parts.length <= most && !parts.includes('')) return word
  throw new UserError(`invalid key format: ${word}`, {
    explanation: 'Write all, app[/id], actor/type[/id] or workflow[/id[/instance]].'
  })
}

export const schedulerDelete: CommandHandler = async context => {
  const names = checkedNames(context)
  const namespace = shownNamespace(context)
  const {api} = await runOf(context)
  const {deleted, missing} = await api.ask('POST /scheduled/delete', {body: {names}})
  for (const {name} of deleted)
    say(process.stdout, 'info', `Deleted ${name} in namespace '${namespace}'.`, context.asJson)
  if (missing.length > 0) throw new UserError(`no job with key '${missing[0] ?? ''}' found in namespace '${namespace}'`)
  return 0
}

/** `scheduler delete-all all|app[/id]|actor/type[/id]|workflow[/id[/instance]]`: deletes all jobs, reminders and timers of a scope. */
export const schedulerDeleteAll: CommandHandler = async context => {
  const within = checkedScope(context)
  const {api} = await runOf(context)
  const {deleted} = await api.ask('POST /scheduled/delete', {body: {within}})
  for (const {stored} of deleted) say(process.stdout, 'info', `Deleted job '${stored}'.`, context.asJson)
  const text = `Deleted ${deleted.length} jobs in namespace '${shownNamespace(context)}'.`
  say(process.stdout, 'info', text, context.asJson)
  return 0
}
