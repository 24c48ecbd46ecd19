/** A counted event of an app's workflows (Dapr: pkg/diagnostics/workflow_monitoring.go). Times are in ms. */
export type WorkflowEvent =
  /** An operation was requested. */
  | {
      readonly type: 'asked'
      readonly operation: 'create_workflow' | 'add_event' | 'purge_workflow'
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  /** An instance had its first turn, after `elapsedMs`. */
  | {readonly type: 'begun'; readonly workflow: string; readonly elapsedMs: number}
  /** An instance is over. `recoverable`: a worker has left during a turn, which another worker gets. */
  | {
      readonly type: 'ended'
      readonly workflow: string
      readonly status: 'success' | 'failed' | 'terminated' | 'recoverable'
      readonly elapsedMs: number
    }
  /** A turn was sent to a worker, or is too large for it. `share`: its size relative to the largest allowed. */
  | {readonly type: 'turn-sized'; readonly workflow: string; readonly share: number}
  /** An activity was sent to a worker, or is too large for it. */
  | {readonly type: 'activity-sized'; readonly workflow: string; readonly activity: string; readonly share: number}
  /** An activity was sent to a worker. */
  | {readonly type: 'activity-sent'; readonly activity: string}
  /** A worker has answered an activity, or left during it. */
  | {
      readonly type: 'activity-ended'
      readonly activity: string
      readonly status: 'success' | 'failed' | 'recoverable'
      readonly elapsedMs: number
    }

/** The numbers of one type of actors that an app hosts. */
export interface ActorCounts {
  readonly actor: string
  /** Calls that wait for their turn. */
  readonly pending: number
  readonly timers: number
  readonly reminders: number
}

/** A counted event of the actors that an app hosts (Dapr: pkg/diagnostics/service_monitoring.go). */
export type ActorEvent =
  /** A timer or a reminder has had its turn. */
  | {readonly type: 'fired'; readonly kind: 'timer' | 'reminder'; readonly actor: string; readonly isSuccess: boolean}
  /** An actor was deactivated; false: its app has refused that. */
  | {readonly type: 'deactivated'; readonly actor: string; readonly isSuccess: boolean}

/** A finished span of a workflow. */
export interface WorkSpan {
  readonly name: string
  readonly kind: 'client' | 'server' | 'internal'
  /** Its place in the trace (W3C Trace Context). */
  readonly traceparent: string
  /** Id of the parent span; '': the trace begins here. */
  readonly parentSpanId: string
  readonly startedAt: number
  readonly durationMs: number
  readonly attributes: Readonly<Record<string, string>>
  /** Reason of the failure; '': none. */
  readonly error: string
}

/** The traces of an app's workflows, as its Configuration wants them. */
export interface WorkTraces {
  /** Returns a place below that of another traceparent ('': in a new trace); '': not traced. */
  readonly begin: (parent: string) => string
  /** A span is over; it is made only if it is read. */
  readonly ended: (span: () => WorkSpan) => void
}
