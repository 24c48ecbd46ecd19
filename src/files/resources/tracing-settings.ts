/** The server to which spans are sent in OpenTelemetry's protocol. */
export interface OtlpSettings {
  /** `host:port`, and a path where the protocol is `http`. */
  readonly endpoint: string
  readonly protocol: 'grpc' | 'http'
  readonly isSecure: boolean
  readonly headers: Readonly<Record<string, string>>
  /** Timeout of a request. 0: the exporter's default. */
  readonly timeoutMs: number
}

/** `spec.tracing` of a Configuration. */
export interface TracingSettings {
  /** The rate as written; empty if not set. */
  readonly samplingRate: string
  /** Whether spans are written to the sidecar's log. */
  readonly isLogged: boolean
  /** URL of Zipkin's API; may be empty. */
  readonly zipkinUrl: string
  readonly otlp: OtlpSettings | undefined
}

/** Whether traces are passed on untouched: the rate is set to 0 (Dapr: pkg/diagnostics/utils, GetTraceSamplingRate). */
export const tracesNothing = ({samplingRate}: TracingSettings): boolean =>
  samplingRate !== '' && Number(samplingRate) === 0

/** Whether spans are sent to a server, or written to the log. */
export const isExported = ({isLogged, zipkinUrl, otlp}: TracingSettings): boolean =>
  isLogged || zipkinUrl !== '' || otlp !== undefined
