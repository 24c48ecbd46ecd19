import type {TraceContext} from '../../../model/call.ts'
import {childOf, newTraceId, parseTraceContext, rootOf, SAMPLED} from './trace-context.ts'

/** Rate if none is set, or an invalid one (Dapr: diagnostics/utils, GetTraceSamplingRate). */
const DEFAULT_RATE = 1e-4

/** `spec.tracing.samplingRate` as a number; 0 disables tracing. */
export const samplingRate = (text: string): number =>
  /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : DEFAULT_RATE

/** Decides whether spans are recorded: like the caller's, else for a share of traces by their ids. */
export class Sampler {
  readonly #rate: number

  constructor(rate: number) {
    this.#rate = rate
  }

  /** Description in Dapr's log: `Dapr trace sampler initialized: <description>`. */
  get description(): string {
    const rate = Math.max(0, this.#rate)
    const exponent = rate.toString().replace(/e-(\d)$/, 'e-0$1')
    const root = rate >= 1 ? 'AlwaysOnSampler' : `TraceIDRatioBased{${exponent}}`
    return `ParentBased{root:${root},remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}`
  }

  isSampled(parent: TraceContext | undefined, traceId: string): boolean {
    if (parent !== undefined) return (parent.flags & SAMPLED) !== 0
    // the last eight bytes as a fraction; a number holds 52 bits of it
    return this.#rate >= 1 || Number.parseInt(traceId.slice(16, 29), 16) / 2 ** 52 < this.#rate
  }
}

interface ActiveSpan {
  readonly context: TraceContext
  /** Id of the parent span; empty for the root of a trace. */
  readonly parentSpanId: string
  /** Whether the span is exported when it ends. */
  readonly isSampled: boolean
}

/** Starts the spans of a sidecar. */
export class Tracer {
  readonly #sampler: Sampler

  constructor(sampler: Sampler) {
    this.#sampler = sampler
  }

  /** Returns the span of a request: a child of the caller's if that sent a valid `traceparent`, else the root of a new trace. */
  start(traceparent: string, tracestate: string): ActiveSpan {
    const parent = traceparent === '' ? undefined : parseTraceContext(traceparent, tracestate)
    if (parent !== undefined) return this.#child(parent)
    const traceId = newTraceId()
    const isSampled = this.#sampler.isSampled(undefined, traceId)
    return {context: rootOf(traceId, isSampled), parentSpanId: '', isSampled}
  }

  /** Returns the span of the callee's sidecar, a child of the caller's span. The callee's app receives its context. */
  startChild({context}: ActiveSpan): ActiveSpan {
    return this.#child(context)
  }

  #child(parent: TraceContext): ActiveSpan {
    const isSampled = this.#sampler.isSampled(parent, parent.traceId)
    const context = childOf(parent, isSampled)
    return {context, parentSpanId: parent.spanId, isSampled: (context.flags & SAMPLED) !== 0}
  }
}
