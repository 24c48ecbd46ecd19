import type {InterruptedCall} from '../proxy/gateway/admission-queue.ts'
import {exitCodeOf, type AppState, type Exit} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import {whyNotFound} from './command.ts'
import type {Supervised} from './process/supervised.ts'
import {spokenDuration} from '../model/duration.ts'
import {loopText, type ExitLoop} from '../model/exit-loop.ts'
import {callInFlight, callCount, exitSentence, type ExitFacts} from '../model/exit-sentence.ts'
import {endOf, WAITS_FOR_SAVE} from '../model/exit-text.ts'

/** Equal calls that were in flight when a process ended: the oldest of them, and how many there were. */
export interface InterruptedCalls extends InterruptedCall {
  readonly count: number
}

/** An unexpected exit that the run keeps. */
export interface KeptExit {
  /** The number that `pillion why NUMBER` takes. */
  readonly number: number
  /** The calls that were in flight, the likeliest cause first. */
  readonly calls: readonly InterruptedCalls[]
  /** The work of workflows that its worker had in hand: `activity "charge" of workflow order-1`. */
  readonly work: readonly string[]
}

/** A crashed process and what is known about it. */
interface Crash {
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
  const kept = death > 0 && calls.length + work.length > 0 ? [`pillion why ${death} shows what was sent`] : []
  const details = [
    ...(calls.length > 1 ? listed(calls) : []),
    ...(work.length > 1 ? shortened(work) : []),
    ...(line === '' ? [] : [line]),
    ...kept
  ]
  return [`${sentence}${next === '' ? '' : `, ${next}`}`, ...details].join('\n    ')
}

/** Describes what follows an exit: another start after this time (Infinity: when one of its files changes). */
export const nextStartText = (inMs: number): string =>
  inMs === Infinity ? WAITS_FOR_SAVE : `restarting in ${spokenDuration(Math.max(1, Math.ceil(inMs / 100)) * 100)}`

/** The first items, and how many more there are. */
const shortened = (work: readonly string[]): readonly string[] =>
  work.length <= MAX_CALLS ? work : [...work.slice(0, MAX_CALLS), `and ${work.length - MAX_CALLS} more`]

function listed(calls: ExitFacts['calls']): readonly string[] {
  const shown = calls.slice(0, MAX_CALLS).map(callInFlight)
  const more = callCount(calls.slice(MAX_CALLS))
  return more === 0 ? shown : [...shown, `and ${more} more`]
}

/** What Dapr's sidecar asks of an app that is ready. */
const QUESTIONS = ['/dapr/config', '/dapr/subscribe']

function toldCall(id: string, {pendingCall, forMs, count}: InterruptedCalls): ExitFacts['calls'][number] {
  const {method, path, caller, from = caller} = pendingCall
  return {method, path, forMs, count, from: caller === id && QUESTIONS.includes(path) ? 'its sidecar' : from}
}

/** An app whose process has exited by itself. */
export interface EndedApp {
  readonly plan: AppPlan
  readonly app: Pick<Supervised, 'state' | 'bestLine' | 'lived'>
  /** Undefined: the exit is not recorded, since it was a success. */
  readonly kept: KeptExit | undefined
  /** Null: the app does not exit again and again. */
  readonly loop: ExitLoop | null
  /** The PATH of the process. */
  readonly searchPath: () => string
}

/** Reports each crash of an app once. One that repeats is reported as a loop, and again when that has doubled. */
export class CrashReporter {
  readonly #id: string
  readonly #reporter: Reporter
  readonly #isSingle: boolean
  #latest = ''
  /** Number of exits at which the loop is reported again. */
  #nextExits = 0

  /** `isSingle`: the only app of its run. */
  constructor(id: string, reporter: Reporter, isSingle = false) {
    this.#id = id
    this.#reporter = reporter
    this.#isSingle = isSingle
  }

  /** Reports why an app has failed. Exit code 127 means that the shell could not find the program. For a single app the terminal shows enough. */
  explain(exit: Exit, {plan: {command, folder, restart}, app, kept, loop, searchPath}: EndedApp): void {
    const {state, bestLine, lived} = app
    const {number: death, calls: interrupted, work} = kept ?? {number: 0, calls: [], work: []}
    if (this.#isSingle && interrupted.length === 0 && work.length === 0) return
    if (state.phase === 'exited' && restart !== 'no') return // the warning `given-up` reports it
    const isShells127 = !this.#isSingle && exit.kind === 'code' && exit.code === 127
    const missing = isShells127 ? whyNotFound(command, folder, searchPath()) : ''
    const line = this.#isSingle ? '' : bestLine
    if (missing !== '') this.#reporter.warn('command-not-found', `"${this.#id}" could not be started: ${missing}`)
    else
      this.report(
        {exit, livedMs: lived.to - lived.from, interrupted, work, line, death: this.#isSingle ? 0 : death},
        {state, loop}
      )
  }

  /** `state`: the state after the exit. */
  report(crash: Omit<Crash, 'id' | 'next'>, {state, loop}: {state: AppState; loop: ExitLoop | null}): void {
    const inMs = state.phase === 'backoff' ? state.until - Date.now() : undefined
    const kind = `${kindOf(crash.exit, crash.line)} ${crash.work.join(' ')}`
    const isRepeated = kind === this.#latest && crash.interrupted.length === 0 && inMs !== undefined && inMs < Infinity
    this.#latest = kind
    if (!isRepeated || loop === null) {
      this.#nextExits = 0
      const next = inMs === undefined ? '' : nextStartText(inMs)
      const line = isRepeated ? '' : crash.line
      this.#reporter.warn('app-crashed', crashReport({...crash, id: this.#id, line, next}))
    } else if (loop.exits >= this.#nextExits) {
      this.#nextExits = 2 * loop.exits
      const line = crash.line === '' ? '' : `\n    ${crash.line}`
      this.#reporter.warn('app-crashed', `"${this.#id}" ${loopText(loop)}${line}`)
    }
  }
}

/** Two crashes are the same if they differ only in numbers, such as times and process ids. */
const kindOf = (exit: Exit, line: string): string => `${exitCodeOf(exit)} ${line.replaceAll(/\d+/g, '0')}`
