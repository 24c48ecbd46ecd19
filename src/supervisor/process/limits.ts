import type {LimitsPlan} from '../../model/plan.ts'
import {limited, type LimitedProcess} from '../../platform/resource-limits.ts'
import type {Note} from './supervised.ts'

let isReported = false

/** Returns the limits for an app's next process; undefined: the system does not support limits, which is reported once. */
export function limitsFor(limits: LimitsPlan, noted: (note: Note) => void): LimitedProcess | undefined {
  const found = limited(limits)
  if (typeof found !== 'string') return found
  if (!isReported) noted({type: 'no-limits', why: found})
  isReported = true
  return undefined
}
