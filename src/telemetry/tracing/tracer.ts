import type {Sampler} from './sampler.ts'
import {childOf, newTraceId, parseTraceContext, rootOf, SAMPLED, type TraceContext} from './trace-context.ts'

/** A started span. */
export interface ActiveSpan {
  readonly context: TraceContext
  /** '' = it is the root of its trace. */
  readonly parentSpanId: string
  /** It will be exported when it ends. */
  readonly isSampled: boolean
}

/** Dapr creates no spans for requests whose path contains this (pkg/diagnostics/http_tracing.go). */
export const isTraced = (path: string): boolean => !path.includes('/healthz')

/** Starts the spans of a sidecar. */
export class Tracer {
  readonly #sampler: Sampler

  constructor(sampler: Sampler) {
    this.#sampler = sampler
  }

  /** The span of a request: a child of the caller's if that sent a valid `traceparent`, else the root of a new trace. */
  start(traceparent: string, tracestate: string): ActiveSpan {
    const parent = traceparent === '' ? undefined : parseTraceContext(traceparent, tracestate)
    if (parent !== undefined) return this.#child(parent)
    const traceId = newTraceId()
    const isSampled = this.#sampler.isSampled(undefined, traceId)
    return {context: rootOf(traceId, isSampled), parentSpanId: '', isSampled}
  }

  /** The span of the callee's sidecar, a child of the caller's; its app gets this context. */
  startChild({context}: ActiveSpan): ActiveSpan {
    return this.#child(context)
  }

  #child(parent: TraceContext): ActiveSpan {
    const isSampled = this.#sampler.isSampled(parent, parent.traceId)
    const context = childOf(parent, isSampled)
    return {context, parentSpanId: parent.spanId, isSampled: (context.flags & SAMPLED) !== 0}
  }
}
