import type {LogLevel} from './plan.ts'

/** A line of a sidecar's log. */
export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** The component of Dapr that would write it: `dapr.runtime`. */
  readonly scope: string
  readonly fields?: Readonly<Record<string, string | number>>
}
