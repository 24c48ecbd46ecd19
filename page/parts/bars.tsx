import type {ComponentChildren} from 'preact'
import {duration} from './format.ts'

/** Something that took time. */
export interface Bar {
  readonly key: string
  readonly label: ComponentChildren
  /** Milliseconds since 1970. */
  readonly from: number
  /** Undefined: it goes on. */
  readonly to: number | undefined
  /** How many others it stands within. */
  readonly depth: number
  readonly tone: 'done' | 'failed' | 'waits' | 'hatched'
  /** It may belong elsewhere. */
  readonly isGuess?: boolean
  /** What is told beside its time. */
  readonly note: string
  /** What can be done with it. */
  readonly action?: ComponentChildren
  /** What stands between it and the next one. */
  readonly below?: ComponentChildren
}

/** In percent of the whole width; what took no time is seen, too. */
const NARROWEST = 0.4

/** Bars over the time that all of them took, in their order, with their times in words. `now`: ms since 1970. */
export function Bars({
  bars,
  label,
  now
}: {
  readonly bars: readonly Bar[]
  readonly label: string
  readonly now: number
}) {
  const from = Math.min(...bars.map(bar => bar.from))
  const whole = Math.max(1, ...bars.map(({to = now}) => to - from))
  const share = (ms: number): number => (100 * Math.max(0, ms)) / whole
  return (
    <ol class="bars" aria-label={label}>
      {bars.map(({key, label: name, from: begun, to, depth, tone, isGuess, note, action, below}) => (
        <li key={key} class={`depth-${Math.min(depth, 6)}`}>
          <span class="name">{name}</span>
          <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <rect
              class={isGuess === true ? `${tone} guess` : tone}
              x={Math.min(share(begun - from), 100 - NARROWEST)}
              width={Math.max(NARROWEST, share((to ?? now) - begun))}
              height="8"
            />
          </svg>
          <span class="right">
            {to === begun ? '' : duration(Math.max(0, (to ?? now) - begun))}
            {to === undefined && ' …'}
          </span>
          <span class={tone === 'failed' ? 'note bad' : 'note soft'}>
            {note} {action}
          </span>
          {below}
        </li>
      ))}
    </ol>
  )
}
