/** A request on its way from one app to another: who calls whom for what. */
export interface Call {
  /** App id of the caller. */
  readonly caller: string
  /** App id, name of an HTTPEndpoint, or an absolute URL. */
  readonly callee: string
  readonly method: string
  /** As it goes to the callee: escaped, with the query. */
  readonly path: string
}

/** The request as its sender wrote it. Nothing of it is copied: who wants one header looks for it in the lines. */
export interface SentRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** `name: value\r\n` each, latin1. */
  readonly lines: string
}

/** What became of a call. Times are those of `performance.now()`, in ms; 0: it never came to that. */
export interface CallRecord {
  readonly call: Call
  readonly request: SentRequest
  /** What the caller got; 0: nothing. */
  readonly status: number
  /** How often it was sent. */
  readonly attempts: number
  readonly startedAt: number
  /** The admission queue let it in; of the last attempt. */
  readonly admittedAt: number
  /** A connection to the callee was there; of the last attempt. */
  readonly connectedAt: number
  readonly firstByteAt: number
  readonly endedAt: number
  /** Bytes of the bodies. */
  readonly requestBytes: number
  readonly responseBytes: number
  /** The `traceparent` that went to the callee as a header line, '' where it was passed on untouched. */
  readonly trace: string
  /** Why it failed, '' where it did not. */
  readonly failure: string
}

export type Direction = 'request' | 'response'

/**
 * Sees every call while it is under way. There is at most one in a run; without it, each of the four places costs one comparison.
 * It must not throw, and must copy the bytes that it keeps.
 */
export interface CallObserver {
  started(call: Call): void
  /** The admission queue let it in. */
  admitted(call: Call): void
  /** A piece of a body passes: the bytes of `buffer` from `from` up to `to`. */
  bytes(call: Call, direction: Direction, buffer: Buffer, from: number, to: number): void
  ended(record: CallRecord): void
}
