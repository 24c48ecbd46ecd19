import type {AppPlan} from '../../model/plan.ts'
import {succeeded, type Exit} from '../../model/app-state.ts'

/** Statistics of exits that nothing requested. */
export interface Failures {
  /** Number of exits since the last process that ran for 10 s or more. */
  readonly inARow: number
  /** Number of processes in a row that ran for less than 1 s. */
  readonly short: number
}

export const NO_FAILURES: Failures = {inARow: 0, short: 0}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 30_000
const FORGOTTEN_AFTER_MS = 10_000
const SHORT_RUN_MS = 1000
const MAX_SHORT_RUNS = 16

/** Whether a process ran for less than 1 s. */
export const isShort = (livedMs: number): boolean => livedMs < SHORT_RUN_MS

/** Returns the statistics after one more process, which ran for `livedMs`. */
export const afterRun = ({inARow, short}: Failures, livedMs: number): Failures => ({
  inARow: livedMs >= FORGOTTEN_AFTER_MS ? 1 : inARow + 1,
  short: isShort(livedMs) ? short + 1 : 0
})

/** The exit of a process that nothing requested. */
export interface ExitByItself {
  readonly policy: AppPlan['restart']
  readonly failures: Failures
  readonly exit: Exit
  /** Whether a saved file has started the process, and it was never ready. */
  readonly hasFailedAfterChange: boolean
}

/** The facts about the app of a process that has exited. */
export interface EndedProgram {
  /** Whether the process was the current one. No process follows a candidate or a previous process. */
  readonly isCurrent: boolean
  /** Whether a saved file starts the next process; with `untilFinished` only after a failure. */
  readonly isWatched: boolean
  readonly untilFinished: boolean
  readonly maySleep: boolean
}

/** Decision about an exit. `waits`: for a saved file. `sleeps`: until the app is needed. `given up`: 16 processes in a row ran for less than 1 s. */
export type AfterExit =
  | {readonly kind: 'starts'; readonly inMs: number}
  | {readonly kind: 'waits' | 'sleeps' | 'ends' | 'given up'}

/** Decides what follows an exit. */
export function afterExit(
  {policy, failures, exit, hasFailedAfterChange}: ExitByItself,
  program: EndedProgram
): AfterExit {
  const {isCurrent, isWatched, untilFinished, maySleep} = program
  if (!isCurrent) return {kind: 'ends'}
  const restarts = policy === 'always' || (policy === 'on-failure' && !succeeded(exit))
  const isGivenUp = restarts && failures.short >= MAX_SHORT_RUNS
  const inMs = Math.min(FIRST_DELAY_MS * 2 ** (failures.inARow - 1), LONGEST_DELAY_MS)
  // does not restart code that a save has broken: the next save may correct it
  if (restarts && !isGivenUp && !(isWatched && hasFailedAfterChange)) return {kind: 'starts', inMs}
  if (maySleep) return {kind: 'sleeps'}
  if (isWatched && !(untilFinished && succeeded(exit))) return {kind: 'waits'}
  return {kind: isGivenUp ? 'given up' : 'ends'}
}
