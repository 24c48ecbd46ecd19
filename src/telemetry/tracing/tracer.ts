import type {Sampler} from './sampler.ts'
import {childOf, newTraceId, parseTraceContext, rootOf, SAMPLED, type TraceContext} from './trace-context.ts'

/** A span that has begun. */
export interface ActiveSpan {
  readonly context: TraceContext
  /** '' = it is the first of its trace. */
  readonly parentSpanId: string
  /** It is to be exported when it is over. */
  readonly isSampled: boolean
}

/** Dapr makes no spans for requests whose path contains this, whatever they are (pkg/diagnostics/http_tracing.go). */
export const isTraced = (path: string): boolean => !path.includes('/healthz')

/** Begins the spans of a sidecar. */
export class Tracer {
  readonly #sampler: Sampler

  constructor(sampler: Sampler) {
    this.#sampler = sampler
  }

  /** The span of a request, below the caller's where it sent a valid `traceparent`, else of a new trace. */
  begin(traceparent: string, tracestate: string): ActiveSpan {
    const parent = traceparent === '' ? undefined : parseTraceContext(traceparent, tracestate)
    if (parent !== undefined) return this.#below(parent)
    const traceId = newTraceId()
    const isSampled = this.#sampler.isSampled(undefined, traceId)
    return {context: rootOf(traceId, isSampled), parentSpanId: '', isSampled}
  }

  /** The span of the callee's sidecar below that of the caller's; its app gets this one's context. */
  beginBelow({context}: ActiveSpan): ActiveSpan {
    return this.#below(context)
  }

  #below(parent: TraceContext): ActiveSpan {
    const isSampled = this.#sampler.isSampled(parent, parent.traceId)
    const context = childOf(parent, isSampled)
    return {context, parentSpanId: parent.spanId, isSampled: (context.flags & SAMPLED) !== 0}
  }
}
