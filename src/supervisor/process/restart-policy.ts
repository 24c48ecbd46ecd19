import type {AppPlan} from '../../model/plan.ts'
import {succeeded, type Exit} from '../../model/app-state.ts'

/** Statistics of unexpected exits. */
export interface Failures {
  /** Since the last process that ran for 10 s or more. */
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

/** Decides the next step after an exit; `hasFailedAfterChange`: a saved file started the process, and it was never ready. */
export type NextStart = (
  policy: AppPlan['restart'],
  failures: Failures,
  exit: Exit,
  hasFailedAfterChange: boolean
) => number | 'no' | 'given up'

/**
 * The step after an unexpected exit: milliseconds until the next process; `no`: the policy does not restart; `given up`:
 * 16 processes in a row ran for less than 1 s.
 */
export function nextStart(policy: AppPlan['restart'], failures: Failures, exit: Exit): number | 'no' | 'given up' {
  if (policy === 'no' || (policy === 'on-failure' && succeeded(exit))) return 'no'
  if (failures.short >= MAX_SHORT_RUNS) return 'given up'
  return Math.min(FIRST_DELAY_MS * 2 ** (failures.inARow - 1), LONGEST_DELAY_MS)
}
