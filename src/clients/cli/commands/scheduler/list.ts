import type {Scheduled} from '../../../../model/api.generated.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../../command-handler.ts'
import {relativeTime} from '../../age.ts'
import {indentedGoJson} from '../../indented-go-json.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {tableOf} from '../../table.ts'
import {UserError} from '../../../../model/errors.ts'
import {runOf} from '../workflow/target.ts'
import {checkedNames} from './names.ts'

/** `scheduler list` */
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

/** `scheduler get NAME…` */
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

/** `--namespace`, which is only printed. */
export const shownNamespace = ({flags}: CommandContext): string => flags.text('namespace') ?? 'default'

async function shown(rows: readonly Scheduled[], now: number, context: CommandContext): Promise<string> {
  const wide = rows.map(row => wideRow(row, shownNamespace(context)))
  switch (context.flags.text('output') ?? 'short') {
    case 'json':
      return indentedGoJson(wide)
    case 'yaml':
      return (await import('../../yaml.ts')).plainYaml(wide)
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

/** A row with the keys of Dapr's CLI, in their order; missing values are left out. */
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
