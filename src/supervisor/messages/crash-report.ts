import type {Exit} from '../../model/app-state.ts'
import type {InterruptedCall} from '../../gateway/admission-queue.ts'
import {endOf} from './why-not-running.ts'

/** A process that ended badly, and what is known about it. */
export interface Crash {
  readonly id: string
  readonly exit: Exit
  readonly livedMs: number
  /** The calls that were under way in it. */
  readonly interrupted: readonly InterruptedCall[]
  /** The line of its last words that says most, '' for none. */
  readonly line: string
  /** What follows: `restart 3 in 400 ms`; '' for nothing. */
  readonly next: string
}

const MAX_CALLS = 5

/** What killed it: how it ended and after how long, what it was doing for whom, what follows, and the line that says most. */
export function crashReport({id, exit, livedMs, interrupted, line, next}: Crash): string {
  const lived = exit.kind === 'spawn-error' ? '' : ` after ${durationText(livedMs)}`
  const [call] = interrupted
  const during =
    call === undefined ? '' : ` while handling ${interrupted.length === 1 ? callText(call) : count(interrupted)}`
  const details = [...(interrupted.length > 1 ? listed(interrupted) : []), ...(line === '' ? [] : [line])]
  return [`"${id}" ${endOf(exit)}${lived}${during}${behind(next)}`, ...details].join('\n    ')
}

/** The same crash once more: so many times in a row. */
export const repeatedCrash = ({id, exit, next}: Pick<Crash, 'id' | 'exit' | 'next'>, times: number): string =>
  `"${id}" ${endOf(exit)} in the same way, ${times.toString()} times now${behind(next)}`

/** What follows an end: another process, so many ms from now (Infinity: at the next change of its files). */
export const nextStartText = (number: number, inMs: number): string =>
  inMs === Infinity
    ? 'started again at the next change of its files'
    : `restart ${number.toString()} in ${durationText(Math.ceil(inMs / 100) * 100)}`

const behind = (next: string): string => (next === '' ? '' : `, ${next}`)

const count = (calls: readonly InterruptedCall[]): string => `${calls.length.toString()} calls`

function listed(interrupted: readonly InterruptedCall[]): readonly string[] {
  const shown = interrupted.slice(0, MAX_CALLS).map(callText)
  const more = interrupted.length - shown.length
  return more === 0 ? shown : [...shown, `and ${more.toString()} more`]
}

const callText = ({pendingCall: {method, path, caller}, forMs}: InterruptedCall): string =>
  `${method} ${path} from ${caller} (${durationText(forMs)})`

/** `18 ms`, `12.4 s`, `3 min 5 s`. */
function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms).toString()} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60).toString()} min ${(seconds % 60).toString()} s`
}
