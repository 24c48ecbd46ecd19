import {isExported, tracesNothing, type TracingSettings} from '../../files/resources/tracing-settings.ts'
import {formatTraceparent} from '../../observe/telemetry/tracing/trace-context.ts'
import type {Tracer} from '../../observe/telemetry/tracing/tracer.ts'
import type {Tracing} from './http/sidecar-request.ts'
import {freshTraceparent, isTraceparent} from './http/trace.ts'
import type {SidecarSpans, SidecarSpansOptions} from './spans.ts'

/**
 * The traces of one app's sidecar. Only if a sampling rate or an exporter is configured, the sidecar loads the code of spans and starts
 * them. Without spans a request keeps its trace, or gets a new one that is not sampled.
 */
export class SidecarTracing implements Tracing {
  tracer: Tracer | undefined
  isTracing = true
  readonly #options: SidecarSpansOptions
  /** The spans of the current settings; undefined: there are none. */
  spans: SidecarSpans | undefined

  constructor(options: SidecarSpansOptions) {
    this.#options = options
  }

  async use(settings: TracingSettings): Promise<void> {
    void this.spans?.close()
    this.isTracing = !tracesNothing(settings)
    const isActive = this.isTracing && (settings.samplingRate !== '' || isExported(settings))
    this.spans = isActive ? new (await import('./spans.ts')).SidecarSpans(settings, this.#options) : undefined
    this.tracer = this.spans?.tracer
  }

  /**
   * Starts a span of a workflow below `parent` ('': in a new trace). Returns its traceparent; '': tracing is off, or it is not sampled.
   * Without spans it returns a new id, by which Pillion's trace views find the calls of the workflow.
   */
  beginWork(parent: string): string {
    if (!this.isTracing) return ''
    if (this.tracer === undefined) return untracedPlace(isTraceparent(parent) ? parent : '')
    const {context, isSampled} = this.tracer.start(parent, '')
    return isSampled ? formatTraceparent(context) : ''
  }
}

/** Returns a traceparent without a span of the sidecar, sampled unless its parent is not: the app's SDK drops spans of unsampled traces. */
function untracedPlace(parent: string): string {
  const fresh = freshTraceparent()
  return parent === '' ? `${fresh.slice(0, -2)}01` : `${parent.slice(0, 36)}${fresh.slice(36, 52)}${parent.slice(52)}`
}
