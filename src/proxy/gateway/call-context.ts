import type {FaultSwitch} from '../faults/faults.ts'
import type {CallObserver, Recorded} from '../../model/call.ts'
import type {HeldBodies} from './held-bodies.ts'
import type {Interceptor} from './interceptor.ts'

/** Common part of all calls through one listener. */
export interface CallContext {
  readonly heldBodies: HeldBodies
  readonly observer?: CallObserver | undefined
  /** Handles the calls, if there is one. May differ for each call. */
  readonly interceptor?: Interceptor | undefined
  /** Make calls fail on purpose. */
  readonly faults?: Pick<FaultSwitch, 'active'> | undefined
  /** Called for each call when it has ended. */
  readonly recorded?: Recorded | undefined
}
