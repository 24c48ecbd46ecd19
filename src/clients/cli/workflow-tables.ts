import {orElse} from '../../model/or-else.ts'
import {humanDuration} from '../../observe/api/workflows/history-view.ts'
import type {Workflow, WorkflowEvent, WorkflowHistory} from '../../model/api.generated.ts'
import {tableOf, type Column} from './table.ts'

/* Lists and histories as Dapr's CLI prints them (pkg/workflow/list.go and history.go). */

/** Sorts workflows by the second of their creation, the oldest first, then by id. */
export const sorted = (workflows: readonly Workflow[]): readonly Workflow[] =>
  workflows.toSorted((a, b) => {
    const [first, second] = [toSecond(a.created), toSecond(b.created)]
    return first === second ? (a.id < b.id ? -1 : 1) : first < second ? -1 : 1
  })

/** Returns a time to the second, as Go writes it. */
const toSecond = (time: string): string => `${time.slice(0, 19)}Z`

/** NAME ID STATUS CUSTOM STATUS AGE; before them APP ID, if the workflows are of several apps. */
export function shortList(workflows: readonly Workflow[], now: number): string {
  const hasApps = new Set(workflows.map(({app}) => app)).size > 1
  return table([
    ['APP ID', workflows.map(({app}) => (hasApps ? app : ''))],
    ['NAME', workflows.map(({name}) => name)],
    ['ID', workflows.map(({id}) => id)],
    ['STATUS', workflows.map(({status}) => status)],
    ['CUSTOM STATUS', workflows.map(({customStatus}) => customStatus)],
    ['AGE', workflows.map(({created}) => humanAge(now - Date.parse(toSecond(created))))]
  ])
}

/** Returns a row with the keys of Dapr's CLI, in their order. */
export const wideRow = (workflow: Workflow, namespace: string): Readonly<Record<string, string>> => ({
  namespace,
  appID: workflow.app,
  name: workflow.name,
  instanceID: workflow.id,
  created: toSecond(workflow.created),
  lastUpdate: toSecond(workflow.lastUpdate),
  runtimeStatus: workflow.status,
  customStatus: workflow.customStatus,
  failureMessage: workflow.failure.replaceAll(/[\r\n]/g, '')
})

const WIDE: Readonly<Record<string, string>> = {
  namespace: 'NAMESPACE',
  appID: 'APP ID',
  name: 'NAME',
  instanceID: 'INSTANCE ID',
  created: 'CREATED',
  lastUpdate: 'LAST UPDATE',
  runtimeStatus: 'STATUS',
  customStatus: 'CUSTOM STATUS',
  failureMessage: 'FAILURE MESSAGE'
}

export const wideList = (workflows: readonly Workflow[], namespace: string): string => {
  const rows = workflows.map(workflow => wideRow(workflow, namespace))
  return table(Object.entries(WIDE).map(([key, head]) => [head, rows.map(row => row[key] ?? '')]))
}

/** An event of a history: keys, order and what is left out are Dapr's. */
interface HistoryRow {
  readonly namespace: string
  readonly appID: string
  readonly play: number
  readonly type: string
  readonly name: string | null
  readonly eventId?: number
  readonly timestamp: string
  readonly elapsed: string
  readonly status: string
  readonly details: string | null
  readonly router?: string
  readonly executionId?: string
  readonly attrs?: string
}

export const historyRows = ({app, events}: WorkflowHistory, namespace: string, now: number): readonly HistoryRow[] =>
  events.map((event, index) => {
    const {play, type, name, eventId, at, status, details, router, executionId} = event
    const before = events[index - 1]
    const attrs = attrsText(event)
    return {
      namespace,
      appID: app,
      play,
      type,
      name,
      ...(eventId !== null && {eventId}),
      timestamp: toSecond(at),
      elapsed:
        before === undefined
          ? `Age:${humanDuration(now - Date.parse(at))}`
          : humanDuration(Date.parse(at) - Date.parse(before.at)),
      status,
      details,
      ...(router !== null && {router}),
      ...(executionId !== null && {executionId}),
      ...(attrs !== '' && {attrs})
    }
  })

/** TYPE NAME EVENTID ELAPSED STATUS DETAILS */
export const shortHistory = (rows: readonly HistoryRow[]): string =>
  table([
    ['TYPE', rows.map(({type}) => type)],
    ['NAME', rows.map(({name}) => name ?? '-')],
    ['EVENTID', rows.map(({eventId}) => eventId?.toString() ?? '-')],
    ['ELAPSED', rows.map(({elapsed}) => elapsed)],
    ['STATUS', rows.map(({status}) => status)],
    ['DETAILS', rows.map(({details}) => details ?? '-')]
  ])

export const wideHistory = (rows: readonly HistoryRow[]): string =>
  table([
    ['PLAY', rows.map(({play}) => play.toString())],
    ['TYPE', rows.map(({type}) => type)],
    ['NAME', rows.map(({name}) => name ?? '')],
    ['EVENTID', rows.map(({eventId}) => eventId?.toString() ?? '')],
    ['TIMESTAMP', rows.map(({timestamp}) => timestamp)],
    ['ELAPSED', rows.map(({elapsed}) => elapsed)],
    ['STATUS', rows.map(({status}) => status)],
    ['DETAILS', rows.map(({details}) => details ?? '')],
    ['ROUTER', rows.map(({router}) => router ?? '')],
    ['EXECUTION ID', rows.map(({executionId}) => executionId ?? '')],
    ['ATTRS', rows.map(({attrs}) => attrs ?? '')]
  ])

const LIMIT = 120
/** Attributes that are cut at `LONG_LIMIT`, and not at `LIMIT`. */
const LONG = new Set(['errorMsg', 'failureMessage'])
const LONG_LIMIT = 160

const attrsText = ({type, attrs}: WorkflowEvent): string =>
  Object.entries(attrs)
    .map(([key, value]) => {
      const isLong = LONG.has(key) || (type === 'ExecutionCompleted' && key === 'output')
      return `${key}=${trimmed(value, isLong ? LONG_LIMIT : LIMIT)}`
    })
    .join(';')

/** Returns a JSON text, a string without its quotes, cut to `limit` characters. */
function trimmed(value: string, limit: number): string {
  const text = unquoted(value)
  const characters = Array.from(text)
  return characters.length <= limit ? text : `${characters.slice(0, limit).join('')}…`
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value
  return orElse(() => String(JSON.parse(value)), value)
}

/** Returns a table in whose cells each piece of white space is one space, as in Dapr's tables. */
const table = (columns: readonly Column[]): string =>
  tableOf(columns.map(([head, cells]) => [head, cells.map(cell => cell.replaceAll(/\s+/g, ' ').trim())] as const))

/** `90s`, `3m5s`, `12m`, `4h10m`, `2d3h`, `1y20d` (Kubernetes: duration.HumanDuration). */
export function humanAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return both(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return both(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 8) return both(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.floor(days / 365)
  return years < 8 ? both(years, 'y', days % 365, 'd') : `${years}y`
}

const both = (large: number, unit: string, small: number, smaller: string): string =>
  `${large}${unit}${small === 0 ? '' : `${small}${smaller}`}`
