import type {Protocol} from '../../model/call-protocol.ts'
import type {Hit} from '../faults/hit.ts'
import type {Pool} from '../net/pool.ts'
import type {Admission, Admitted, AppPipeline, Denied, Held} from './admission.ts'
import type {CallOutcome} from './interceptor.ts'

/** A call, as its passage needs it: the parts that differ between protocols. */
export interface Passenger {
  /** Asks the callee's queue. `isRefused`: the callee has refused a connection just now, so the call must be queued. */
  ask(isRefused: boolean): Admission | Held
  /** Protocol by which the callee is called. */
  protocolAt(pool: Pool): Protocol
  /** Sends it to the callee that has admitted it. */
  send(admitted: Admitted): void
  /** Sends the request through the callee's middleware first. Omitted if the protocol has none. */
  filter?(admitted: Admitted, pipeline: AppPipeline): void
  /** Called if the callee denies the call. Settles the passage. */
  denied(denied: Denied): void
  /** Called if a fault ends the call with a status or a reset before it is sent. Settles the passage. */
  struck(hit: Hit): void
  /** Called when another attempt follows the discarded one. Omitted, like the next two, if no policy applies. */
  restart?(): void
  /** Discards the current attempt with its connection and response. */
  drop(): void
  /** Called after the last attempt. Passes on its outcome. */
  conclude?(outcome: CallOutcome): void
  /** Returns why the request cannot be sent again; '': it can. */
  whyOnce?(): string
  /** Handles a bug of ours, which ends only this call. */
  crash(error: unknown): void
}
