import type {Measure, Unit} from './figure.ts'
import {DAPR, GOALS, type Goal} from './goals.ts'

export const HEAD = ['figure', 'ours', 'peer', 'ratio', 'min–max', 'goal', 'met', 'Dapr'] as const

/** The middle of the numbers; of an even count, the mean of the two in the middle. */
function median(numbers: readonly number[]): number {
  const sorted = [...numbers].toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

const rounded = (value: number): string =>
  value.toLocaleString('en-US', {maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0})

const withUnit = (value: number, unit: Unit): string => rounded(value) + (unit === '/s' ? unit : ` ${unit}`)

const times = (value: number): string => `${value.toFixed(2)} ×`

function goalText({of, atLeast, atMost}: Goal, unit: Unit): string {
  const shown = (value: number): string =>
    of === 'ratio' ? times(value) : withUnit(value, unit) + (of === 'difference' ? ' more' : '')
  return atLeast === undefined ? `≤ ${shown(atMost ?? 0)}` : `≥ ${shown(atLeast)}`
}

const isMet = ({atLeast = -Infinity, atMost = Infinity}: Goal, value: number): boolean =>
  value >= atLeast && value <= atMost

/** One row: medians, and the spread of what is judged: of the rounds' ratios or differences, or of our own numbers where there are none. */
export function rowOf({name, unit, ours, peer, peerName}: Measure): readonly string[] {
  const goal = GOALS[name]
  const ratios = peer.map((value, round) => (ours[round] ?? Number.NaN) / value)
  const differences = peer.map((value, round) => (ours[round] ?? Number.NaN) - value)
  const judged = goal?.of === 'difference' ? differences : ratios.length > 0 ? ratios : ours
  const spread = [Math.min(...judged), Math.max(...judged)].map(value =>
    judged === ratios ? value.toFixed(2) : rounded(value)
  )
  const met =
    goal === undefined || (goal.of !== 'ours' && peer.length === 0)
      ? ''
      : isMet(goal, median({ours, ratio: ratios, difference: differences}[goal.of]))
        ? 'yes'
        : 'no'
  return [
    name,
    withUnit(median(ours), unit),
    peer.length > 0 ? `${withUnit(median(peer), unit)} ${peerName}` : peerName,
    ratios.length > 0 ? times(median(ratios)) : '',
    spread.join('–'),
    goal === undefined ? '' : goalText(goal, unit),
    met,
    DAPR[name] ?? ''
  ]
}

/** Columns as wide as their widest cell; a row with one cell only is a remark. */
export function drawn(rows: readonly (readonly string[])[]): string {
  const whole = rows.filter(row => row.length === HEAD.length)
  const widths = HEAD.map((_, column) => Math.max(...whole.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row =>
      (row.length === HEAD.length ? row.map((cell, column) => cell.padEnd(widths[column] ?? 0)) : row)
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
