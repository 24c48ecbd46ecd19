import type {AppPlan} from '../../plan.ts'
import {http2Dial} from '../../wire/bridge-http2.ts'
import {secureDial, type Dial} from '../../wire/dial.ts'

/** How an app of this protocol is reached; undefined: over plain TCP. */
export function dialOf({channel: {protocol}}: AppPlan): Dial | undefined {
  if (protocol === 'h2c') return http2Dial
  return protocol === 'https' ? secureDial : undefined
}
