import type {LimitsPlan} from '../../model/plan.ts'
import {limited, type LimitedProcess} from '../../platform/resource-limits.ts'
import type {Note} from './supervised.ts'

let isReported = false

/** The limits of the next process of an app. If the system does not support them, that is reported once, and the app has none. */
export function limitsFor(limits: LimitsPlan, noted: (note: Note) => void): LimitedProcess | undefined {
  const found = limited(limits)
  if (typeof found !== 'string') return found
  if (!isReported) noted({type: 'no-limits', why: found})
  isReported = true
  return undefined
}
