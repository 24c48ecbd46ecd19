import type {CallRecord} from '../../model/call.ts'
import {isExported, tracesNothing, type TracingSettings} from '../../files/resources/tracing-settings.ts'
import type {Tracer} from '../../observe/telemetry/tracing/tracer.ts'
import type {BlockSpan, StartSpan} from './blocks/block-context.ts'
import type {Tracing} from './http/sidecar-request.ts'
import type {SidecarSpans, SidecarSpansOptions} from './spans.ts'

/**
 * The traces of one app's sidecar. Spans are begun, and their code is loaded, where a rate or an exporter is configured; without
 * them a request keeps its trace, or gets a new one that is not sampled.
 */
export class SidecarTracing implements Tracing {
  tracer: Tracer | undefined
  isTracing = true
  readonly #options: SidecarSpansOptions
  #spans: SidecarSpans | undefined

  constructor(options: SidecarSpansOptions) {
    this.#options = options
  }

  /** The line for the sidecar's log; '' if there is none. */
  get description(): string {
    return this.#spans?.description ?? ''
  }

  /** Other settings hold from now on. */
  async use(settings: TracingSettings): Promise<void> {
    void this.#spans?.close()
    this.isTracing = !tracesNothing(settings)
    const isActive = this.isTracing && (settings.samplingRate !== '' || isExported(settings))
    this.#spans = isActive ? new (await import('./spans.ts')).SidecarSpans(settings, this.#options) : undefined
    this.tracer = this.#spans?.tracer
  }

  /** A request to the sidecar is over. */
  served(record: CallRecord): void {
    this.#spans?.served(record)
  }

  /** The app has answered a call that came through another app's sidecar. */
  answered(record: CallRecord): void {
    this.#spans?.answered(record)
  }

  /** Starts a span for a delivery to the app; undefined if spans are disabled. */
  startCallback(...given: Parameters<StartSpan>): BlockSpan | undefined {
    return this.#spans?.startCallback(...given)
  }

  /** Sends what waits; takes at most a second. */
  async close(): Promise<void> {
    await this.#spans?.close()
  }
}
