import type {ComponentChildren} from 'preact'
import {duration} from './format.ts'

/** Something that took time. */
export interface Bar {
  readonly key: string
  readonly label: ComponentChildren
  /** Milliseconds since 1970. */
  readonly from: number
  /** Undefined: it has not ended. */
  readonly to: number | undefined
  /** How many others it is nested in. */
  readonly depth: number
  readonly tone: 'done' | 'failed' | 'waits' | 'hatched'
  /** It may belong elsewhere. */
  readonly isGuess?: boolean
  /** Text next to its time. */
  readonly note: string
  /** What can be done with it. */
  readonly action?: ComponentChildren
  /** What is shown between it and the next one. */
  readonly below?: ComponentChildren
}

/** Smallest width of a bar, in percent: what took no time is visible, too. */
const NARROWEST = 0.4
/** However deep it is, its name has room. */
const MAX_BRANCHES = 8

export interface BarsProps {
  readonly bars: readonly Bar[]
  readonly label: string
  /** Heading of the notes, in a word. */
  readonly noteHead: string
  /** Ms since 1970. */
  readonly now: number
}

/** What was done within what, as bars over the time that all of it took, in their order, with an axis and the times in words. */
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

/** Lines from a row to what is within it: `│ ├ `. */
function branchesOf(bars: readonly Bar[]): readonly string[] {
  /** Whether another one of this depth follows below the same one. */
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
