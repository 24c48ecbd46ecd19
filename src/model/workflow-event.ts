/** Something that is counted of an app's workflows (Dapr: pkg/diagnostics/workflow_monitoring.go). Times are milliseconds. */
export type WorkflowEvent =
  /** An operation was requested. */
  | {
      readonly type: 'asked'
      readonly operation: 'create_workflow' | 'add_event' | 'purge_workflow'
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  /** An instance had to wait for its first turn. */
  | {readonly type: 'begun'; readonly workflow: string; readonly elapsedMs: number}
  /** An instance is over; `recoverable`: a worker has left with a turn, which another one gets. */
  | {
      readonly type: 'ended'
      readonly workflow: string
      readonly status: 'success' | 'failed' | 'terminated' | 'recoverable'
      readonly elapsedMs: number
    }
  /** A turn was sent to a worker, or is too large for that; `share`: its size by the largest one that it can take. */
  | {readonly type: 'turn-sized'; readonly workflow: string; readonly share: number}
  /** An activity, likewise. */
  | {readonly type: 'activity-sized'; readonly workflow: string; readonly activity: string; readonly share: number}
  /** A worker has got an activity. */
  | {readonly type: 'activity-sent'; readonly activity: string}
  /** A worker has answered an activity, or left with it. */
  | {
      readonly type: 'activity-ended'
      readonly activity: string
      readonly status: 'success' | 'failed' | 'recoverable'
      readonly elapsedMs: number
    }
