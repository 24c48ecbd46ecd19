import type {InterruptedCall} from '../proxy/gateway/admission-queue.ts'
import type {Exit} from '../model/app-state.ts'
import {spokenDuration} from '../model/duration.ts'
import {callInFlight, callCount, exitSentence, type ExitFacts, endOf, WAITS_FOR_SAVE} from '../model/exit-text.ts'

/** Equal calls in flight at the end of a process: the oldest one, and their number. */
export interface InterruptedCalls extends InterruptedCall {
  readonly count: number
}

/** An unexpected exit that the run keeps. */
export interface KeptExit {
  /** Number of the exit for `pillion why NUMBER`. */
  readonly number: number
  /** The calls that were in flight, the likeliest cause first. */
  readonly calls: readonly InterruptedCalls[]
  /** The work of workflows that its worker had in hand: `activity "charge" of workflow order-1`. */
  readonly work: readonly string[]
}

/** A crashed process and its facts. */
export interface Crash {
  readonly id: string
  readonly exit: Exit
  readonly livedMs: number
  /** The calls that were in flight, the likeliest cause first. */
  readonly interrupted: readonly InterruptedCalls[]
  /** The work of workflows that its worker had in hand. */
  readonly work: readonly string[]
  /** The number under which it is recorded; 0: it is not. */
  readonly death: number
  /** The most useful line of its last output, '' if there is none. */
  readonly line: string
  /** The next step: `restarting in 400 ms`; '' if there is none. */
  readonly next: string
}

const MAX_CALLS = 5

/** Reports a crash: the sentence about it, the next step, the calls in flight, and the most useful line of output. */
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

/** Describes the next start after an exit: after this time, or after a change of its files (Infinity). */
export const nextStartText = (inMs: number): string =>
  inMs === Infinity ? WAITS_FOR_SAVE : `restarting in ${spokenDuration(Math.max(1, Math.ceil(inMs / 100)) * 100)}`

/** Returns the first items, and the number of the others. */
const shortened = (all: readonly string[], more: number): readonly string[] =>
  more <= 0 ? all : [...all.slice(0, MAX_CALLS), `and ${more} more`]

function toldCall(id: string, {pendingCall, forMs, count}: InterruptedCalls): ExitFacts['calls'][number] {
  const {method, path, caller, from = caller} = pendingCall
  return {
    method,
    path: path.replace(/[?;].*/s, ''), // the rest may be secret
    forMs,
    count,
    from: caller === id && path.startsWith('/dapr/') ? 'its sidecar' : from
  }
}
