/** A span of a workflow that is over. Times are milliseconds since 1970. */
export interface WorkSpan {
  readonly name: string
  readonly kind: 'client' | 'server' | 'internal'
  /** Its own place in its trace (W3C Trace Context). */
  readonly traceparent: string
  /** Id of the parent span; empty at the beginning of a trace. */
  readonly parentSpanId: string
  readonly startedAt: number
  readonly durationMs: number
  readonly attributes: Readonly<Record<string, string>>
  /** Why it failed; '' = it did not. */
  readonly error: string
}

/** The traces of an app's workflows, as its Configuration wants them. */
export interface WorkTraces {
  /** A place below that of another traceparent ('' = in a new trace); '' = it is not traced. */
  readonly begin: (parent: string) => string
  /** A span is over; it is made only if it is read. */
  readonly ended: (span: () => WorkSpan) => void
}
