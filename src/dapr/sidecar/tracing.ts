import {isExported, tracesNothing, type TracingSettings} from '../../files/resources/tracing-settings.ts'
import {formatTraceparent} from '../../observe/telemetry/tracing/trace-context.ts'
import type {Tracer} from '../../observe/telemetry/tracing/tracer.ts'
import type {Tracing} from './http/sidecar-request.ts'
import {freshTraceparent, isTraceparent} from './http/trace.ts'
import type {SidecarSpans, SidecarSpansOptions} from './spans.ts'

/**
 * The traces of one app's sidecar. Spans are begun, and their code is loaded, where a rate or an exporter is configured; without
 * them a request keeps its trace, or gets a new one that is not sampled.
 */
export class SidecarTracing implements Tracing {
  tracer: Tracer | undefined
  isTracing = true
  readonly #options: SidecarSpansOptions
  /** Maker of spans. Undefined if tracing is off. */
  spans: SidecarSpans | undefined

  constructor(options: SidecarSpansOptions) {
    this.#options = options
  }

  /** Replaces the settings. */
  async use(settings: TracingSettings): Promise<void> {
    void this.spans?.close()
    this.isTracing = !tracesNothing(settings)
    const isActive = this.isTracing && (settings.samplingRate !== '' || isExported(settings))
    this.spans = isActive ? new (await import('./spans.ts')).SidecarSpans(settings, this.#options) : undefined
    this.tracer = this.spans?.tracer
  }

  /**
   * Begins a span below `parent` ('': in a new trace), and returns its traceparent; '': tracing is off. Without a configuration it
   * returns an id, too, so that views find the calls of its steps.
   */
  beginWork(parent: string): string {
    if (!this.isTracing) return ''
    if (this.tracer === undefined) return untracedPlace(isTraceparent(parent) ? parent : '')
    const {context, isSampled} = this.tracer.start(parent, '')
    return isSampled ? formatTraceparent(context) : ''
  }
}

/** A place in a trace without a span of ours, sampled unless its parent is not. Otherwise the app's own SDK would drop its spans. */
function untracedPlace(parent: string): string {
  const fresh = freshTraceparent()
  return parent === '' ? `${fresh.slice(0, -2)}01` : `${parent.slice(0, 36)}${fresh.slice(36, 52)}${parent.slice(52)}`
}
