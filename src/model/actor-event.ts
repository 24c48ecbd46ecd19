/** The numbers of one type of actors that an app hosts. */
export interface ActorCounts {
  readonly actor: string
  /** Calls that wait for their turn. */
  readonly pending: number
  readonly timers: number
  readonly reminders: number
}

/** Something that is counted of the actors that an app hosts (Dapr: pkg/diagnostics/service_monitoring.go). */
export type ActorEvent =
  /** A timer or a reminder has had its turn. */
  | {readonly type: 'fired'; readonly kind: 'timer' | 'reminder'; readonly actor: string; readonly isSuccess: boolean}
  /** An actor was let go; false: its app has not taken that well. */
  | {readonly type: 'deactivated'; readonly actor: string; readonly isSuccess: boolean}
