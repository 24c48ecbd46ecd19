/** The outcome of an event for the app, in Dapr's terms. */
export type ProcessStatus = 'success' | 'retry' | 'drop'

/** Something that is counted of a component (Dapr: pkg/diagnostics/component_monitoring.go). */
export type ComponentEvent = {
  /** Its name. */
  readonly component: string
} & (
  | {
      /** The app has called it. */
      readonly type: 'called'
      readonly block: 'state' | 'secret' | 'configuration' | 'crypto' | 'conversation' | 'output_binding'
      readonly operation: string
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  | {
      readonly type: 'published'
      readonly topic: string
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
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
      /** A binding has brought an event. */
      readonly type: 'triggered'
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  | {
      /** A job has come to the app, which has answered. Its component is ''. */
      readonly type: 'job'
      readonly isSuccess: boolean
      readonly elapsedMs: number
    }
  | {
      /** An event has come for the app. `elapsedMs`: until it answered, 0 = it did not get it. */
      readonly type: 'delivered'
      readonly topic: string
      readonly processStatus: ProcessStatus
      /** Differs where Dapr counts it so: an event that the app drops is processed with success. */
      readonly status: ProcessStatus
      readonly elapsedMs: number
    }
  | {
      /** Several events have come for the app together. */
      readonly type: 'bulk-delivered'
      readonly topic: string
      /** How many of each. */
      readonly statuses: ReadonlyMap<ProcessStatus, number>
      readonly elapsedMs: number
    }
)
