import {pick, type Kinds} from './step.ts'

const SECOND_MS = 1000
const HOUR_MS = 3600 * SECOND_MS

/**
 * What the machine's clock may do, in the invented world alone: a real machine has one clock for all. It changes nothing. Back it jumps by
 * more than a walk takes: in a second that comes again, what was saved in it before is new to a watch that begins then.
 */
export const CLOCK: Kinds = {
  'clock jumps': [
    3,
    (_, {a, b}) => [
      {do: 'clock jumps', ms: (pick([SECOND_MS, -24 * HOUR_MS, HOUR_MS, -HOUR_MS], a) ?? 0) * (1 + (b % 60))}
    ]
  ]
}
