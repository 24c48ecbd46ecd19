import type * as Api from '../../src/model/api.generated.ts'
import {callEndText, shownCause} from '../../src/model/call-end.ts'
import type {Column} from '../parts/grid.tsx'
import {bytes, count, duration, timeOfDay} from '../parts/format.ts'
import {Name} from '../parts/name.tsx'
import {visible} from '../parts/safe-text.ts'
import {hrefOf, route} from '../state/route.ts'

/** Returns the address of a call; from the list, it keeps the filter and sort order for the way back. */
export function hrefOfCall(number: number): string {
  const {view, parameters} = route.value
  return hrefOf('calls', [number.toString()], view === 'calls' ? Object.fromEntries(parameters) : {})
}

export const statusText = (call: Api.Call): string => {
  if (call.isOpen) return '… under way'
  const text = callEndText(call)
  return call.isFailed ? `✕ ${text}` : text
}

/** Returns what is unusual about a call, such as a fault, a wait or a failure. */
export function whyText({waitedMs, waitedFor, marks, failure}: Api.Call): string {
  const words = [
    marks.includes('fault') ? '⚡ fault' : '',
    marks.includes('replay') ? '⟲ replay' : '',
    ...marks.filter(mark => !['fault', 'replay', 'grpc', 'ours'].includes(mark)),
    waitedMs < 1 ? '' : `↻ waited ${duration(waitedMs)}${waitedFor.length === 0 ? '' : `: ${waitedFor.join(', ')}`}`,
    shownCause(failure)
  ]
  return visible(words.filter(word => word !== '').join(' · '))
}

/** A gap of fewer calls is not shown: they may be open, or not have arrived yet. */
const MIN_GAP = 50

/** Returns the number of calls between this row and the next that are not listed; 0 if they are few. */
const missingBehind = (row: Api.Call, next: Api.Call | undefined): number => {
  const missing = next === undefined ? 0 : row.number - next.number - 1
  return missing < MIN_GAP ? 0 : missing
}

/** Returns the columns, with a note where calls between two rows are not listed; `rows`: all rows, the latest first. */
export function columnsWithGaps(rows: readonly Api.Call[]): readonly Column<Api.Call>[] {
  const gaps = new Map(rows.map((row, at) => [row.number, missingBehind(row, rows[at + 1])]))
  return COLUMNS.map(column =>
    column.name === 'why'
      ? filledBy(column, row => [whyText(row), gapText(gaps.get(row.number) ?? 0)].filter(Boolean).join(' · '))
      : column
  )
}

/** Returns the column with other texts; it is left out while all of them are empty. */
const filledBy = (column: Column<Api.Call>, text: (row: Api.Call) => string): Column<Api.Call> => ({
  ...column,
  isEmpty: row => text(row) === '',
  cell: text
})

const gapText = (missing: number): string => (missing === 0 ? '' : `↓ ${count(missing)} calls not shown`)

const edgeOf = ({from, to}: Api.Call): string => `${from} → ${to}`

const requestOf = ({method, path, isKept}: Api.Call): string =>
  `${method} ${isKept ? visible(path) : '(no longer kept)'}`

export const COLUMNS: readonly Column<Api.Call>[] = [
  {
    head: 'Time',
    name: 'time',
    sortBy: ({number}) => number,
    cell: ({number, at}) => (
      <a href={hrefOfCall(number)} tabIndex={-1}>
        {timeOfDay(at)}
      </a>
    )
  },
  {
    head: 'From → to',
    name: 'edge',
    sortBy: edgeOf,
    fits: edgeOf,
    cell: ({from, to}) => (
      <span class="pair">
        <Name name={from} />
        <span> → </span>
        <Name name={to} />
      </span>
    )
  },
  {head: 'Request', name: 'request', sortBy: requestOf, fits: requestOf, cell: call => <code>{requestOf(call)}</code>},
  {
    head: 'Status',
    name: 'status',
    sortBy: ({isFailed, status}) => (isFailed ? 1000 : 0) + status,
    cell: row => <span class={row.isFailed ? 'bad' : ''}>{statusText(row)}</span>
  },
  {
    head: 'Duration',
    name: 'took',
    alignsRight: true,
    sortBy: ({totalMs}) => totalMs,
    cell: ({totalMs}) => duration(totalMs)
  },
  {
    head: 'Size',
    name: 'size',
    alignsRight: true,
    sortBy: ({responseBytes}) => responseBytes,
    cell: ({responseBytes}) => bytes(responseBytes)
  },
  {head: 'Why', name: 'why', isEmpty: row => whyText(row) === '', cell: whyText}
]

/** The columns of requests: the last one also shows how many calls each request caused. */
export const OF_REQUESTS: readonly Column<Api.Call>[] = COLUMNS.map(column =>
  column.name === 'why' ? {...filledBy(column, call => insideText(call as Api.RequestRow)), head: 'Calls'} : column
)

function insideText({calls, failedCalls, ...call}: Api.RequestRow): string {
  // what begins at a topic is an event
  const one = call.from.includes('/') ? '1 event' : '1 call'
  const words = [calls === 1 ? one : `${count(calls)} calls`, failedCalls > 0 && `✕ ${count(failedCalls)} failed`]
  const marks = call.marks.filter(mark => mark !== 'own')
  return [...words, whyText({...call, marks})].filter(Boolean).join(' · ')
}
