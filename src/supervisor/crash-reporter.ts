import type {InterruptedCall} from '../proxy/gateway/admission-queue.ts'
import {exitCodeOf, type AppState, type Exit} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import {whyNotFound} from './command.ts'
import type {Supervised} from './process/supervised.ts'
import {endOf} from '../model/exit-text.ts'

/** Equal calls that were in flight when a process ended: the oldest of them, and how many there were. */
export interface InterruptedCalls extends InterruptedCall {
  readonly count: number
}

/** An unexpected exit that the run keeps. */
export interface KeptExit {
  /** As `pillion why NUMBER` knows it. */
  readonly number: number
  /** The calls that were in flight, the likeliest cause first. */
  readonly calls: readonly InterruptedCalls[]
  /** What of workflows its worker had in hand: `activity "charge" of workflow order-1`. */
  readonly work: readonly string[]
}

/** A crashed process and what is known about it. */
interface Crash {
  readonly id: string
  readonly exit: Exit
  readonly livedMs: number
  /** The calls that were in flight, the likeliest cause first. */
  readonly interrupted: readonly InterruptedCalls[]
  /** What of workflows its worker had in hand. */
  readonly work: readonly string[]
  /** The number under which it is kept; 0: it is not. */
  readonly death: number
  /** The most useful line of its last output, '' if there is none. */
  readonly line: string
  /** The next step: `restart 3 in 400 ms`; '' if there is none. */
  readonly next: string
}

const MAX_CALLS = 5

/** Reports a crash: exit and age of the process, the calls in flight, the next step, and the most useful line of output. */
export function crashReport({id, exit, livedMs, interrupted, work, line, next, death}: Crash): string {
  const lived = exit.kind === 'spawn-error' ? '' : ` after ${durationText(livedMs)}`
  const [call] = interrupted
  const [task] = work
  const inside = [
    ...(call === undefined ? [] : [interrupted.length === 1 ? callText(id, call) : `${numberOf(interrupted)} calls`]),
    ...(task === undefined ? [] : [work.length === 1 ? task : `${work.length} tasks of workflows`])
  ]
  const during = inside.length === 0 ? '' : ` while handling ${inside.join(' and ')}`
  const kept = death > 0 && inside.length > 0 ? [`pillion why ${death} shows what was sent`] : []
  const details = [
    ...(interrupted.length > 1 ? listed(id, interrupted) : []),
    ...(work.length > 1 ? shortened(work) : []),
    ...(line === '' ? [] : [line]),
    ...kept
  ]
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

const numberOf = (calls: readonly InterruptedCalls[]): number => calls.reduce((sum, {count}) => sum + count, 0)

/** The first ones, and how many more there are. */
const shortened = (work: readonly string[]): readonly string[] =>
  work.length <= MAX_CALLS ? work : [...work.slice(0, MAX_CALLS), `and ${work.length - MAX_CALLS} more`]

function listed(id: string, interrupted: readonly InterruptedCalls[]): readonly string[] {
  const shown = interrupted.slice(0, MAX_CALLS).map(each => callText(id, each))
  const more = numberOf(interrupted.slice(MAX_CALLS))
  return more === 0 ? shown : [...shown, `and ${more} more`]
}

/** What Dapr's sidecar asks of an app that is ready. */
const QUESTIONS = ['/dapr/config', '/dapr/subscribe']

function callText(id: string, {pendingCall: {method, path, caller}, forMs, count}: InterruptedCalls): string {
  const from = caller === id && QUESTIONS.includes(path) ? 'its sidecar' : caller
  return `${method} ${path} from ${from} (${durationText(forMs)})${count === 1 ? '' : ` ×${count}`}`
}

/** `18 ms`, `12.4 s`, `3 min 5 s`. */
function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** An app whose process has exited by itself. */
export interface EndedApp {
  readonly plan: AppPlan
  readonly app: Pick<Supervised, 'state' | 'bestLine' | 'lived'>
  /** Undefined: it is not kept, as it was a success. */
  readonly kept: KeptExit | undefined
  /** The number of processes that were started. */
  readonly starts: number
  /** The PATH of the process. */
  readonly searchPath: () => string
}

/** Reports each crash of an app once. A crash that repeats is reported the 2nd, 4th, 8th … time. */
export class CrashReporter {
  readonly #id: string
  readonly #reporter: Reporter
  readonly #isSingle: boolean
  #latest = ''
  #times = 0

  /** `isSingle`: the only app of its run. */
  constructor(id: string, reporter: Reporter, isSingle = false) {
    this.#id = id
    this.#reporter = reporter
    this.#isSingle = isSingle
  }

  /** Reports why an app has failed. Exit code 127 means that the shell could not find the program. For a single app the terminal shows enough. */
  explain(exit: Exit, {plan: {command, folder, restart}, app, kept, starts, searchPath}: EndedApp): void {
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
        {state, starts}
      )
  }

  /** `state`: the state after the exit; `starts`: the number of processes that were started. */
  report(crash: Omit<Crash, 'id' | 'next'>, {state, starts}: {state: AppState; starts: number}): void {
    const inMs = state.phase === 'backoff' ? state.until - Date.now() : undefined
    const next = inMs === undefined ? '' : nextStartText(starts, inMs)
    const kind = `${kindOf(crash.exit, crash.line)} ${crash.work.join(' ')}`
    const isRepeated = kind === this.#latest && crash.interrupted.length === 0 && inMs !== undefined && inMs < Infinity
    this.#times = isRepeated ? this.#times + 1 : 1
    this.#latest = kind
    if (!isRepeated) this.#reporter.warn('app-crashed', crashReport({...crash, id: this.#id, next}))
    else if (Number.isInteger(Math.log2(this.#times)))
      this.#reporter.warn('app-crashed', repeatedCrash({id: this.#id, exit: crash.exit, next}, this.#times))
  }
}

/** Two crashes are the same if they differ only in numbers, such as times and process ids. */
const kindOf = (exit: Exit, line: string): string => `${exitCodeOf(exit)} ${line.replaceAll(/\d+/g, '0')}`
