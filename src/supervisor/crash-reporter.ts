import type {InterruptedCall} from '../proxy/gateway/admission-queue.ts'
import type {Exit} from '../model/app-state.ts'
import {spokenDuration} from '../model/duration.ts'
import {callInFlight, callCount, exitSentence, type ExitFacts, endOf, WAITS_FOR_SAVE} from '../model/exit-text.ts'

/** Equal calls that were in flight at the exit of a process: the oldest one, and their number. */
export interface InterruptedCalls extends InterruptedCall {
  readonly count: number
}

/** An unexpected exit that the run records. */
export interface KeptExit {
  /** Number of the exit for `pillion why NUMBER`. */
  readonly number: number
  /** Calls that were in flight, the likeliest cause of the exit first. */
  readonly calls: readonly InterruptedCalls[]
  /** Work of workflows that the process was executing: `activity "charge" of workflow order-1`. */
  readonly work: readonly string[]
}

/** The facts about a crash that its report contains. */
export interface Crash {
  readonly id: string
  readonly exit: Exit
  readonly livedMs: number
  /** Calls that were in flight, the likeliest cause of the exit first. */
  readonly interrupted: readonly InterruptedCalls[]
  /** Work of workflows that the process was executing. */
  readonly work: readonly string[]
  /** Number of the recorded exit; 0: not recorded. */
  readonly death: number
  /** Line of the last output that explains the exit best; '': none. */
  readonly line: string
  /** Next step of the app: `restarting in 400 ms`; '': none. */
  readonly next: string
}

const MAX_CALLS = 5

/** Returns the report of a crash: what happened, the next step, the calls in flight, and the most useful line of output. */
export function crashReport({id, exit, livedMs, interrupted, work, line, next, death}: Crash): string {
  const calls = interrupted.map(each => toldCall(id, each))
  const lived = exit.kind === 'spawn-error' ? undefined : livedMs
  const sentence = exitSentence({name: id, exit: endOf(exit), livedMs: lived, calls, work})
  return [
    `${sentence}${next === '' ? '' : `, ${next}`}`,
    ...(calls.length > 1 ? shortened(calls.map(callInFlight), callCount(calls.slice(MAX_CALLS))) : []),
    ...(work.length > 1 ? shortened(work, work.length - MAX_CALLS) : []),
    line,
    death > 0 && calls.length + work.length > 0 ? `pillion why ${death} shows what was sent` : ''
  ]
    .filter(Boolean)
    .join('\n    ')
}

/** Describes the next start after an exit. `inMs`: delay; Infinity: the app waits for a saved file. */
export const nextStartText = (inMs: number): string =>
  inMs === Infinity ? WAITS_FOR_SAVE : `restarting in ${spokenDuration(Math.max(1, Math.ceil(inMs / 100)) * 100)}`

/** Returns the first items, and a line with the number of the others. */
const shortened = (all: readonly string[], more: number): readonly string[] =>
  more <= 0 ? all : [...all.slice(0, MAX_CALLS), `and ${more} more`]

function toldCall(id: string, {pendingCall, forMs, count}: InterruptedCalls): ExitFacts['calls'][number] {
  const {method, path, caller, from = caller} = pendingCall
  return {
    method,
    path: path.replace(/[?;].*/s, ''), // drops the query, which may contain secrets
    forMs,
    count,
    from: caller === id && path.startsWith('/dapr/') ? 'its sidecar' : from
  }
}
