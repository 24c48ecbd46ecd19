import type {FaultSwitch} from '../faults/faults.ts'
import type {CallObserver, Recorded} from '../../model/call.ts'
import type {HeldBodies} from './held-bodies.ts'
import type {Interceptor} from './interceptor.ts'

/** Data that all calls through one listener share. */
export interface CallContext {
  readonly heldBodies: HeldBodies
  readonly observer?: CallObserver | undefined
  /** Applies policies to the calls; undefined: none apply. */
  readonly interceptor?: Interceptor | undefined
  /** The fault rules, which make calls fail on purpose. */
  readonly faults?: Pick<FaultSwitch, 'active'> | undefined
  /** Called for each call when it has ended. */
  readonly recorded?: Recorded | undefined
}
