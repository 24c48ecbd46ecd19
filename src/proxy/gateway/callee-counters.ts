import type {AccessDecision, GrpcInvocation, Recorded} from '../../model/call.ts'
import type {ActorEvent, WorkflowEvent, WorkTraces} from '../../model/work-event.ts'
import type {CallerIdentity} from './caller-header.ts'
import type {Probed} from './health-check.ts'

/** Counts the calls to an app at their end, and its health checks; traces its workflows. */
export interface CalleeCounters {
  readonly recorded: Recorded
  readonly probed: Probed
  /** The app was called over gRPC on behalf of an HTTP caller. */
  readonly invoked: (invocation: GrpcInvocation) => void
  /** Counts an event of the actors that it hosts. */
  readonly hosted: (event: ActorEvent) => void
  /** Counts an event of its workflows. */
  readonly worked: (event: WorkflowEvent) => void
  readonly workTraces: WorkTraces
  /** Access control has decided about a call; `caller` is undefined if it is unknown. */
  readonly decided: (decision: AccessDecision, caller: CallerIdentity | undefined) => void
}
