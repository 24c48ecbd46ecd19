import type {AccessDecision, GrpcInvocation, Recorded} from '../../model/call.ts'
import type {ActorEvent, WorkflowEvent, WorkTraces} from '../../model/work-event.ts'
import type {CallerIdentity} from './caller-header.ts'
import type {Probed} from './health-check.ts'

/** The metrics and traces of a called app, as the gateway and the sidecar report to them. */
export interface CalleeCounters {
  readonly recorded: Recorded
  readonly probed: Probed
  /** Counts a call of the app over gRPC for an HTTP caller. */
  readonly invoked: (invocation: GrpcInvocation) => void
  /** Counts an event of the actors that the app hosts. */
  readonly hosted: (event: ActorEvent) => void
  /** Counts an event of the app's workflows. */
  readonly worked: (event: WorkflowEvent) => void
  readonly workTraces: WorkTraces
  /** Counts a decision of access control about a call. `caller`: undefined if unknown. */
  readonly decided: (decision: AccessDecision, caller: CallerIdentity | undefined) => void
}
