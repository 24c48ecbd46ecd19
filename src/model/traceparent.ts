/** Returns the trace id of a traceparent (W3C Trace Context): 32 digits; '': none. */
export const traceIdOf = (traceparent: string | undefined): string => traceparent?.slice(3, 35) ?? ''

/** Returns the span id of a traceparent: 16 digits; '': none. */
export const spanIdOf = (traceparent: string | undefined): string => traceparent?.slice(36, 52) ?? ''
