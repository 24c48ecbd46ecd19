import type {AppPlan} from '../model/plan.ts'
import {http2Dial} from '../net/http2/http2-adapter.ts'
import {secureDial, type Dial} from '../net/dialer.ts'

/** How to connect to an app with this protocol; undefined: plain TCP. */
export function dialOf({channel: {protocol}}: AppPlan): Dial | undefined {
  if (protocol === 'h2c') return http2Dial
  return protocol === 'https' ? secureDial : undefined
}
