import type {AppPlan} from '../plan.ts'
import {succeeded, type Exit} from '../state.ts'

/** What is remembered of the lives that ended unasked. */
export interface Failures {
  /** Since the last life of 10 s or more. */
  readonly inARow: number
  /** Lives under 1 s in a row. */
  readonly short: number
}

export const NO_FAILURES: Failures = {inARow: 0, short: 0}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 30_000
const FORGOTTEN_AFTER_MS = 10_000
const SHORT_LIFE_MS = 1000
const SHORT_LIVES = 16

/** The memory after one more life of `livedMs`. */
export const afterLife = ({inARow, short}: Failures, livedMs: number): Failures => ({
  inARow: livedMs >= FORGOTTEN_AFTER_MS ? 1 : inARow + 1,
  short: livedMs < SHORT_LIFE_MS ? short + 1 : 0
})

/**
 * What follows an exit that nobody asked for: milliseconds until the next life; `no`: the policy wants none;
 * `given up`: it wants one, but 16 lives under 1 s in a row are enough.
 */
export function nextLife(policy: AppPlan['restart'], failures: Failures, exit: Exit): number | 'no' | 'given up' {
  if (policy === 'no' || (policy === 'on-failure' && succeeded(exit))) return 'no'
  if (failures.short >= SHORT_LIVES) return 'given up'
  return Math.min(FIRST_DELAY_MS * 2 ** (failures.inARow - 1), LONGEST_DELAY_MS)
}
