import type {Measure, MeasureName, Unit} from './figure.ts'
import {GOALS, type Goal} from './goals.ts'

export const HEAD = ['figure', 'ours', 'peer', 'ratio', 'min–max', 'goal', 'met'] as const

/** The middle of the numbers; of an even count, the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

const rounded = (value: number): string =>
  value.toLocaleString('en-US', {maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0})

export const withUnit = (value: number, unit: Unit): string => rounded(value) + (unit === '/s' ? unit : ` ${unit}`)

const times = (value: number): string => `${value.toFixed(2)} ×`

function goalText({of, atLeast, atMost}: Goal, unit: Unit): string {
  const shown = (value: number): string => (of === 'ratio' ? times(value) : withUnit(value, unit))
  return atLeast === undefined ? `≤ ${shown(atMost ?? 0)}` : `≥ ${shown(atLeast)}`
}

const reaches = ({atLeast = -Infinity, atMost = Infinity}: Goal, value: number): boolean =>
  value >= atLeast && value <= atMost

/** Medians of a measure, their spread, its goal and whether the goal is met. */
export interface Verdict {
  readonly ours: string
  /** '' where there is nothing to compare with. */
  readonly peer: string
  readonly ratio: string
  readonly spread: string
  readonly goal: string
  /** Undefined: no goal, or not to be judged here. */
  readonly isMet: boolean | undefined
}

/** The spread is that of the rounds' ratios, or of our own numbers where there are none. */
export function verdictOf({name, unit, ours, peer, peerName, why}: Measure): Verdict {
  const goal = goalOf(name, peerName)
  // nobody is so many times better than nothing, or than less
  const ratios = peer.some(value => value <= 0) ? [] : peer.map((value, round) => (ours[round] ?? Number.NaN) / value)
  const judged = ratios.length > 0 ? ratios : ours
  const spread = [Math.min(...judged), Math.max(...judged)].map(value =>
    judged === ratios ? value.toFixed(2) : rounded(value)
  )
  return {
    ours: withUnit(median(ours), unit),
    peer: peer.length > 0 ? withUnit(median(peer), unit) : peerName === '' ? '' : (why ?? 'not here'),
    ratio: ratios.length > 0 ? times(median(ratios)) : '',
    spread: spread.join('–'),
    goal: goal === undefined ? '' : goalText(goal, unit),
    isMet:
      goal === undefined || (goal.of === 'ratio' && ratios.length === 0)
        ? undefined
        : reaches(goal, median(goal.of === 'ratio' ? ratios : ours))
  }
}

/** A goal that names a peer counts for the row of that peer alone. */
function goalOf(name: MeasureName, peerName: string): Goal | undefined {
  const goal = GOALS[name]
  return goal?.to === undefined || goal.to === peerName ? goal : undefined
}

/** One row of the terminal's table. */
export function rowOf(measure: Measure): readonly string[] {
  const {ours, peer, ratio, spread, goal, isMet} = verdictOf(measure)
  const met = isMet === undefined ? '' : isMet ? 'yes' : 'no'
  return [measure.name, ours, `${peer} ${measure.peerName}`.trim(), ratio, spread, goal, met]
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
