import type {LogLevel} from './plan.ts'

/** A line of a sidecar's log. */
export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** Name of the logger that would write it in Dapr: `dapr.runtime`. */
  readonly scope: string
  readonly fields?: Readonly<Record<string, string | number>>
}
