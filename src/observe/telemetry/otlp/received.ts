// observe/telemetry/otlp/ receives data of the OpenTelemetry SDKs of apps (OTLP 1.x, opentelemetry-proto), and keeps the latest spans and log records
// of a run in a bounded amount of memory. Until the first connection, the run only listens at the port.
import type {SpanException} from '../../../model/api.generated.ts'

/** `Span.SpanKind` of OpenTelemetry's trace.proto. */
export const KIND = {internal: 1, server: 2, client: 3, producer: 4, consumer: 5} as const

/** The sender of a span or a log record. */
export interface Sender {
  /** Id of the app of the run, or another `service.name`. */
  readonly app: string
  readonly isApp: boolean
}

/** A span of an app's SDK. */
export interface ReceivedSpan extends Sender {
  /** 32 digits. */
  readonly traceId: string
  /** 16 digits. */
  readonly spanId: string
  /** Id of the parent; empty for a root. */
  readonly parentId: string
  readonly name: string
  /** Number of `KIND`; 0 if not given. */
  readonly kind: number
  /** In ms since 1970 by the clock of the app; an impossible time is replaced by the time of the arrival. */
  readonly startedAt: number
  readonly endedAt: number
  readonly isFailed: boolean
  /** JSON of `SpanDetails`: one text takes less memory than its parts. */
  readonly details: string
}

export type Attributes = readonly (readonly [name: string, value: string])[]

/** The parts that are read only when a span is shown. */
export interface SpanDetails {
  /** The description of the span's status. */
  readonly message: string
  readonly scope: string
  readonly attributes: Attributes
  readonly exception?: SpanException
  /** Other events, such as `retry`; `at`: ms after the start of the span. */
  readonly events?: readonly {readonly name: string; readonly at: number; readonly attributes: Attributes}[]
}

/** A log record of an app's SDK that names a trace. */
export interface ReceivedLog extends Sender {
  readonly traceId: string
  /** Id of the span; empty if the record has none. */
  readonly spanId: string
  /** In ms since 1970. */
  readonly at: number
  /** Severity from 1 to 24; 0 if not given. */
  readonly severity: number
  readonly text: string
  /** JSON of the reported exception; may be empty. */
  readonly exception: string
}

export const spanDetails = ({details}: ReceivedSpan): SpanDetails => JSON.parse(details) as SpanDetails
