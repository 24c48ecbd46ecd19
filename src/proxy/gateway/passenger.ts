import type {Protocol} from '../../model/call-protocol.ts'
import type {Hit} from '../faults/hit.ts'
import type {Pool} from '../net/pool.ts'
import type {Admission, Admitted, AppPipeline, Denied, Held} from './admission.ts'
import type {CallOutcome} from './interceptor.ts'

/** The part of a call that differs between protocols. Its `Passage` calls these methods. */
export interface Passenger {
  /** Asks the callee's queue for admission. `isRefused`: the callee has just refused a connection, so that the call must wait. */
  ask(isRefused: boolean): Admission | Held
  /** Returns the protocol of the call to the callee, for the record. */
  protocolAt(pool: Pool): Protocol
  /** Sends the request to the callee that has admitted it. */
  send(admitted: Admitted): void
  /** Sends the request through the callee's middleware first. Omitted: the protocol has no middleware. */
  filter?(admitted: Admitted, pipeline: AppPipeline): void
  /** Called if the callee denies the call. Settles the passage. */
  denied(denied: Denied): void
  /** Called if a fault ends the call with a status or a reset before it is sent. Settles the passage. */
  endByFault(hit: Hit): void
  /** Called before a further attempt. Omitted, like `conclude` and `whyNotAgain`: no policy applies to this protocol. */
  restart?(): void
  /** Discards the current attempt with its connection and response. */
  drop(): void
  /** Called after the last attempt. Sends its outcome to the caller. */
  conclude?(outcome: CallOutcome): void
  /** Returns why the request cannot be sent again; '': it can. */
  whyNotAgain?(): string
  /** Ends this call after an internal error. */
  crash(error: unknown): void
}
