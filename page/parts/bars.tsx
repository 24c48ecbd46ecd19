import type {ComponentChildren} from 'preact'
import {duration} from './format.ts'

/** A step that took time. */
export interface Bar {
  readonly key: string
  readonly label: ComponentChildren
  /** The start, in ms since 1970. */
  readonly from: number
  /** The end, in ms since 1970; undefined while the step is under way. */
  readonly to: number | undefined
  /** The number of steps that the step is nested in. */
  readonly depth: number
  readonly tone: 'done' | 'failed' | 'waits' | 'hatched'
  /** Whether the place of the step in the tree is a guess. */
  readonly isGuess?: boolean
  /** The text next to the time that the step took. */
  readonly note: string
  /** The controls shown after the note. */
  readonly action?: ComponentChildren
  /** The content shown below the bar, before the next one. */
  readonly below?: ComponentChildren
}

/** The smallest width of a bar, in percent, so that a step that took no time can still be seen. */
const NARROWEST = 0.4
/** The number of tree lines drawn in front of a label at most, so that the label of a deep bar has space. */
const MAX_BRANCHES = 8

export interface BarsProps {
  readonly bars: readonly Bar[]
  readonly label: string
  /** The heading of the notes, in one word. */
  readonly noteHead: string
  /** The current time, in ms since 1970. */
  readonly now: number
}

/** Shows nested steps as bars on one time axis, in their order, each with its duration as text. */
export function Bars({bars, label, noteHead, now}: BarsProps) {
  const from = Math.min(...bars.map(bar => bar.from))
  const whole = Math.max(1, ...bars.map(({to = now}) => to - from))
  const share = (ms: number): number => (100 * Math.max(0, ms)) / whole
  const branches = branchesOf(bars)
  return (
    <div class="bars">
      <p class="axis" aria-hidden="true">
        <span class="name">Step</span>
        <span class="note">{noteHead}</span>
        <span class="right">Took</span>
        <span class="scale">
          {[0, 1 / 4, 1 / 2, 3 / 4, 1].map(part => (
            <span key={part}>{part === 0 ? '0' : duration(part * whole)}</span>
          ))}
        </span>
      </p>
      <ol aria-label={label}>
        {bars.map(({key, label: name, from: begun, to, tone, isGuess, note, action, below}, index) => (
          <li key={key}>
            <span class="name">
              <span class="branch" aria-hidden="true">
                {branches[index]}
              </span>
              <span>{name}</span>
            </span>
            <span class={tone === 'failed' ? 'note bad' : 'note soft'}>
              {note} {action}
            </span>
            <span class="right">
              {to === begun ? '' : duration(Math.max(0, (to ?? now) - begun))}
              {to === undefined && ' …'}
            </span>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect
                class={isGuess === true ? `${tone} guess` : tone}
                x={Math.min(share(begun - from), 100 - NARROWEST)}
                width={Math.max(NARROWEST, share((to ?? now) - begun))}
                height="8"
              />
            </svg>
            {below}
          </li>
        ))}
      </ol>
    </div>
  )
}

/** Returns the tree lines in front of each label, such as `│ ├ `. */
function branchesOf(bars: readonly Bar[]): readonly string[] {
  /** Whether a later bar of each depth has the same parent. */
  const follows: boolean[] = []
  const found: string[] = []
  for (const {depth} of bars.toReversed()) {
    follows.length = Math.max(follows.length, depth + 1)
    const above = Array.from({length: Math.max(0, depth - 1)}, (_, at) => (follows[at + 1] === true ? '│ ' : '  '))
    found.push(depth === 0 ? '' : `${above.slice(-MAX_BRANCHES).join('')}${follows[depth] === true ? '├ ' : '└ '}`)
    follows.length = depth + 1
    follows[depth] = true
  }
  return found.toReversed()
}
