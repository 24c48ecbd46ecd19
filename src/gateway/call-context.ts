import type {FaultSwitch} from '../faults/fault-switch.ts'
import type {CallObserver, Recorded} from '../model/call.ts'
import type {HeldBodies} from './held-bodies.ts'
import type {Interceptor} from './interceptor.ts'

/** What all calls through one listener share. */
export interface CallContext {
  readonly heldBodies: HeldBodies
  readonly observer?: CallObserver | undefined
  /** The outermost first. They may differ between calls. */
  readonly interceptors?: readonly Interceptor[] | undefined
  /** Make calls fail on purpose. */
  readonly faults?: Pick<FaultSwitch, 'active'> | undefined
  /** Called for each call when it has ended. */
  readonly recorded?: Recorded | undefined
}
