import type * as Api from '../../src/model/api.generated.ts'
import {callEndText} from '../../src/model/call-end.ts'
import type {Column} from '../parts/grid.tsx'
import {bytes, count, duration, timeOfDay} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {hrefOf, route} from '../state/route.ts'

export const hrefOfCall = (number: number): string =>
  hrefOf('calls', [number.toString()], {q: route.value.parameters.get('q') ?? ''})

export const statusText = (call: Api.Call): string => {
  if (call.isOpen) return '… under way'
  const text = callEndText(call)
  return call.isFailed ? `✕ ${text}` : text
}

/** What is not usual about a call. */
export function whyText({waitedMs, waitedFor, marks, failure}: Api.Call): string {
  const words = [
    marks.includes('fault') ? '⚡ fault' : '',
    marks.includes('replay') ? '⟲ replay' : '',
    ...marks.filter(mark => !['fault', 'replay', 'grpc', 'ours'].includes(mark)),
    waitedMs < 1 ? '' : `↻ waited ${duration(waitedMs)}${waitedFor.length === 0 ? '' : `: ${waitedFor.join(', ')}`}`,
    failure
  ]
  return visible(words.filter(word => word !== '').join(' · '))
}

/** Fewer that are missing between two rows may be under way, or on their way here. */
const MIN_GAP = 50

/** How many calls between this row and the next one are not listed; 0: a few, or none. */
const missingBehind = (row: Api.Call, next: Api.Call | undefined): number => {
  const missing = next === undefined ? 0 : row.number - next.number - 1
  return missing < MIN_GAP ? 0 : missing
}

/** With the calls that are not listed between two rows; `rows`: all calls, the latest first. */
export function columnsWithGaps(rows: readonly Api.Call[]): readonly Column<Api.Call>[] {
  const gaps = new Map(rows.map((row, at) => [row.number, missingBehind(row, rows[at + 1])]))
  return COLUMNS.map(column =>
    column.name === 'why'
      ? {...column, cell: row => [whyText(row), gapText(gaps.get(row.number) ?? 0)].filter(Boolean).join(' · ')}
      : column
  )
}

const gapText = (missing: number): string => (missing === 0 ? '' : `↓ ${count(missing)} calls not shown`)

export const COLUMNS: readonly Column<Api.Call>[] = [
  {
    head: 'Time',
    name: 'time',
    cell: ({number, at}) => (
      <a href={hrefOfCall(number)} tabIndex={-1}>
        {timeOfDay(at)}
      </a>
    )
  },
  {head: 'From → to', name: 'edge', cell: ({from, to}) => visible(`${from} → ${to}`)},
  {
    head: 'Request',
    name: 'request',
    cell: ({method, path, isKept}) => <code>{`${method} ${isKept ? visible(path) : '(no longer kept)'}`}</code>
  },
  {
    head: 'Status',
    name: 'status',
    cell: row => <span class={row.isFailed ? 'bad' : ''}>{statusText(row)}</span>
  },
  {head: 'Duration', name: 'took', alignsRight: true, cell: ({totalMs}) => duration(totalMs)},
  {head: 'Size', name: 'size', alignsRight: true, cell: ({responseBytes}) => bytes(responseBytes)},
  {head: 'Why', name: 'why', cell: whyText}
]
