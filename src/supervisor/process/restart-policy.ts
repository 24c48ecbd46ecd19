import type {AppPlan} from '../../model/plan.ts'
import {succeeded, type Exit} from '../../model/app-state.ts'

/** Statistics of unexpected exits. */
export interface Failures {
  /** Exits since the last process that ran for 10 s or more. */
  readonly inARow: number
  /** Processes in a row that ran for less than 1 s. */
  readonly short: number
}

export const NO_FAILURES: Failures = {inARow: 0, short: 0}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 30_000
const FORGOTTEN_AFTER_MS = 10_000
const SHORT_RUN_MS = 1000
const MAX_SHORT_RUNS = 16

/** Whether a process ran too short to be useful. */
export const isShort = (livedMs: number): boolean => livedMs < SHORT_RUN_MS

/** The statistics after one more process that ran for `livedMs`. */
export const afterRun = ({inARow, short}: Failures, livedMs: number): Failures => ({
  inARow: livedMs >= FORGOTTEN_AFTER_MS ? 1 : inARow + 1,
  short: isShort(livedMs) ? short + 1 : 0
})

/** The end of a process by itself. */
export interface ExitByItself {
  readonly policy: AppPlan['restart']
  readonly failures: Failures
  readonly exit: Exit
  /** A saved file started the process, and it was never ready. */
  readonly hasFailedAfterChange: boolean
}

/** The program of a process that has ended. */
export interface EndedProgram {
  /** Receives the calls. Candidates and previous programs start no further process. */
  readonly isCurrent: boolean
  /** A save starts its next process; with `untilFinished` only after a failure. */
  readonly isWatched: boolean
  readonly untilFinished: boolean
  readonly maySleep: boolean
}

/** Result of an exit. `waits`, `sleeps`: until a process is requested. `given up`: 16 processes in a row ran for less than 1 s. */
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
  // the next save may correct it
  if (restarts && !isGivenUp && !(isWatched && hasFailedAfterChange)) return {kind: 'starts', inMs}
  if (maySleep) return {kind: 'sleeps'}
  if (isWatched && !(untilFinished && succeeded(exit))) return {kind: 'waits'}
  return {kind: isGivenUp ? 'given up' : 'ends'}
}
