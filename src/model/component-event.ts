/** The result of an event, in Dapr's terms. */
export type ProcessStatus = 'success' | 'retry' | 'drop'

/** A counted event of a component (Dapr: pkg/diagnostics/component_monitoring.go). */
export type ComponentEvent = {
  /** Name of the component. */
  readonly component: string
} & (
  | {
      /** The app has called the component. */
      readonly type: 'called'
      readonly block: 'state' | 'secret' | 'configuration' | 'crypto' | 'conversation' | 'output_binding'
      readonly operation: string
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  | {readonly type: 'published'; readonly topic: string; readonly isSuccess: boolean; readonly elapsedMs: number}
  | {
      /** Several events were published together. */
      readonly type: 'bulk-published'
      readonly topic: string
      readonly isSuccess: boolean
      /** How many were published. */
      readonly events: number
      readonly elapsedMs: number
    }
  | {
      /** A binding has sent an event. */
      readonly type: 'triggered'
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  | {
      /** The app has answered a job. Its component is ''. */
      readonly type: 'job'
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  | {
      /** An event was delivered to the app. `elapsedMs`: until the app's answer; 0: the app did not get the event. */
      readonly type: 'delivered'
      readonly topic: string
      readonly processStatus: ProcessStatus
      /** Status by which Dapr counts the event: a dropped event counts as a success, too. */
      readonly status: ProcessStatus
      readonly elapsedMs: number
    }
  | {
      /** Several events were delivered to the app together. */
      readonly type: 'bulk-delivered'
      readonly topic: string
      /** Number of events by status. */
      readonly statuses: ReadonlyMap<ProcessStatus, number>
      readonly elapsedMs: number
    }
)
