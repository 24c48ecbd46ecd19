import type {FaultSwitch} from '../faults/faults.ts'
import type {CallObserver, Recorded} from '../../model/call.ts'
import type {HeldBodies} from './held-bodies.ts'
import type {Interceptor} from './interceptor.ts'

/** What all calls through one listener share. */
export interface CallContext {
  readonly heldBodies: HeldBodies
  readonly observer?: CallObserver | undefined
  /** Handles the calls; it may be another one for each. Undefined: nothing does. */
  readonly interceptor?: Interceptor | undefined
  /** Make calls fail on purpose. */
  readonly faults?: Pick<FaultSwitch, 'active'> | undefined
  /** Called for each call when it has ended. */
  readonly recorded?: Recorded | undefined
}
