import type {AppPlan} from '../../model/plan.ts'
import {succeeded, type Exit} from '../../model/app-state.ts'

/** What is remembered of the processes that ended unasked. */
export interface Failures {
  /** Since the last life of 10 s or more. */
  readonly inARow: number
  /** Processes under 1 s in a row. */
  readonly short: number
}

export const NO_FAILURES: Failures = {inARow: 0, short: 0}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 30_000
const FORGOTTEN_AFTER_MS = 10_000
const SHORT_RUN_MS = 1000
const MAX_SHORT_RUNS = 16

/** Whether a process ended too soon to have been of use. */
export const isShort = (livedMs: number): boolean => livedMs < SHORT_RUN_MS

/** The memory after one more life of `livedMs`. */
export const afterRun = ({inARow, short}: Failures, livedMs: number): Failures => ({
  inARow: livedMs >= FORGOTTEN_AFTER_MS ? 1 : inARow + 1,
  short: isShort(livedMs) ? short + 1 : 0
})

/** Decides what follows an exit; `hasFailedAfterChange`: the process was started by a saved file and was never ready. */
export type NextStart = (
  policy: AppPlan['restart'],
  failures: Failures,
  exit: Exit,
  hasFailedAfterChange: boolean
) => number | 'no' | 'given up'

/**
 * What follows an exit that nobody asked for: milliseconds until the next process; `no`: the policy wants none;
 * `given up`: it wants one, but 16 processes under 1 s in a row are enough.
 */
export function nextStart(policy: AppPlan['restart'], failures: Failures, exit: Exit): number | 'no' | 'given up' {
  if (policy === 'no' || (policy === 'on-failure' && succeeded(exit))) return 'no'
  if (failures.short >= MAX_SHORT_RUNS) return 'given up'
  return Math.min(FIRST_DELAY_MS * 2 ** (failures.inARow - 1), LONGEST_DELAY_MS)
}
