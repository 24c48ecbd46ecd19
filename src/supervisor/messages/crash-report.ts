import type {Exit} from '../../model/app-state.ts'
import type {InterruptedCall} from '../../gateway/admission-queue.ts'
import {endOf} from '../../model/exit-text.ts'

/** A crashed process and what is known about it. */
export interface Crash {
  readonly id: string
  readonly exit: Exit
  readonly livedMs: number
  /** The calls that were in flight. */
  readonly interrupted: readonly InterruptedCall[]
  /** The number under which it is kept; 0: it is not. */
  readonly death: number
  /** The most useful line of its last output, '' if there is none. */
  readonly line: string
  /** The next step: `restart 3 in 400 ms`; '' if there is none. */
  readonly next: string
}

const MAX_CALLS = 5

/** Reports a crash: exit and age of the process, the calls in flight, the next step, and the most useful line of output. */
export function crashReport({id, exit, livedMs, interrupted, line, next, death}: Crash): string {
  const lived = exit.kind === 'spawn-error' ? '' : ` after ${durationText(livedMs)}`
  const [call] = interrupted
  const during =
    call === undefined ? '' : ` while handling ${interrupted.length === 1 ? callText(call) : count(interrupted)}`
  const kept = death > 0 && interrupted.length > 0 ? [`pillion why ${death} shows what was sent`] : []
  const details = [...(interrupted.length > 1 ? listed(interrupted) : []), ...(line === '' ? [] : [line]), ...kept]
  return [`"${id}" ${endOf(exit)}${lived}${during}${behind(next)}`, ...details].join('\n    ')
}

/** Reports the same crash again, with its number in a row. */
export const repeatedCrash = ({id, exit, next}: Pick<Crash, 'id' | 'exit' | 'next'>, times: number): string =>
  `"${id}" ${endOf(exit)} again in the same way (${times} times so far)${behind(next)}`

/** Describes the restart after an exit: the process number and the delay (Infinity: when one of its files changes). */
export const nextStartText = (number: number, inMs: number): string =>
  inMs === Infinity
    ? 'restarts when one of its files changes'
    : `restart ${number} in ${durationText(Math.ceil(inMs / 100) * 100)}`

const behind = (next: string): string => (next === '' ? '' : `, ${next}`)

const count = (calls: readonly InterruptedCall[]): string => `${calls.length} calls`

function listed(interrupted: readonly InterruptedCall[]): readonly string[] {
  const shown = interrupted.slice(0, MAX_CALLS).map(callText)
  const more = interrupted.length - shown.length
  return more === 0 ? shown : [...shown, `and ${more} more`]
}

const callText = ({pendingCall: {method, path, caller}, forMs}: InterruptedCall): string =>
  `${method} ${path} from ${caller} (${durationText(forMs)})`

/** `18 ms`, `12.4 s`, `3 min 5 s`. */
function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
