import {attributeText} from './conventions.ts'
import {spanDetails, KIND, type ReceivedLog, type ReceivedSpan} from './received.ts'

/** Maximum number of spans and log records that are kept, and of their bytes, estimated by their texts. */
const MAX_ITEMS = 20_000
const MAX_BYTES = 16 * 1024 * 1024
/** Memory of an item without its texts, in bytes. */
const ITEM_BYTES = 300
/** Maximum number of ignored traces that are remembered, so that their later spans are ignored, too. */
const MAX_IGNORED = 1000

/** Paths of a sidecar's requests to its app, without `traceparent`: the app's SDK begins a trace at each, which is ignored. */
const OWN_PATHS = new Set(['/dapr/config', '/dapr/subscribe', '/healthz'])
/** Scope of the spans that a sidecar of Dapr or Pillion exports itself. The store ignores these: their calls are recorded already. */
const OWN_SCOPE = 'dapr-diagnostics'

interface SpanStoreOptions {
  /** Whether the app is recorded, so that its spans are kept. */
  readonly isRecorded: (app: string) => boolean
  readonly isHealthPath?: (path: string) => boolean
  readonly maxItems?: number
  readonly maxBytes?: number
}

export interface KeptTrace {
  /** The spans by their ids, in the order of their arrival. */
  readonly spans: ReadonlyMap<string, ReceivedSpan>
  readonly logs: readonly ReceivedLog[]
}

interface OpenTrace {
  readonly spans: Map<string, ReceivedSpan>
  readonly logs: ReceivedLog[]
}

/** The latest spans and log records of a run, the oldest dropped first. */
export class SpanStore {
  readonly #options: SpanStoreOptions
  readonly #traces = new Map<string, OpenTrace>()
  /** The items in the order of their arrival; those before `#first` are dropped. */
  #items: (ReceivedSpan | ReceivedLog | undefined)[] = []
  #first = 0
  #bytes = 0
  readonly #ignored = new Set<string>()
  /** Latest result of `hasSpan`, kept until spans change: the calls of a list are often all of one trace. */
  #answer = {question: '', isYes: false}

  constructor(options: SpanStoreOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#items.length - this.#first
  }

  /** The traces by their ids, in the order in which their first span arrived. */
  get traces(): ReadonlyMap<string, KeptTrace> {
    return this.#traces
  }

  /** Whether an app has sent a span of a trace that has this text in its name or an attribute; `NAME=TEXT`: in that attribute. */
  hasSpan(traceId: string, text: string): boolean {
    const question = `${traceId} ${text}`
    if (this.#answer.question === question) return this.#answer.isYes
    const [, name = '', value = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    const has = (span: ReceivedSpan): boolean =>
      span.name.includes(text) ||
      spanDetails(span).attributes.some(([key, each]) => each.includes(text) || (key === name && each.includes(value)))
    const isYes = [...(this.#traces.get(traceId)?.spans.values() ?? [])].some(has)
    this.#answer = {question, isYes}
    return isYes
  }

  /** Keeps a span. Ignores a repeated span: exporters repeat a batch whose answer was lost. */
  addSpan(span: ReceivedSpan, scope: string): void {
    const {traceId, spanId, parentId, kind, app} = span
    if (scope === OWN_SCOPE || this.#ignored.has(traceId) || !this.#options.isRecorded(app)) return
    if (parentId === '' && kind === KIND.server && this.#isOwnPath(span)) return this.#ignore(traceId)
    const trace = this.#open(traceId)
    if (trace.spans.has(spanId)) return
    trace.spans.set(spanId, span)
    this.#keep(span)
  }

  addLog(log: ReceivedLog): void {
    const {traceId, app} = log
    if (this.#ignored.has(traceId) || !this.#options.isRecorded(app)) return
    this.#open(traceId).logs.push(log)
    this.#keep(log)
  }

  #isOwnPath(span: ReceivedSpan): boolean {
    const path = attributeText('path', spanDetails(span).attributes).replace(/\?.*$/s, '')
    return OWN_PATHS.has(path) || this.#options.isHealthPath?.(path) === true
  }

  #open(traceId: string): OpenTrace {
    const known = this.#traces.get(traceId)
    if (known !== undefined) return known
    const trace: OpenTrace = {spans: new Map(), logs: []}
    this.#traces.set(traceId, trace)
    return trace
  }

  #keep(item: ReceivedSpan | ReceivedLog): void {
    const {maxItems = MAX_ITEMS, maxBytes = MAX_BYTES} = this.#options
    this.#answer = {question: '', isYes: false}
    this.#items.push(item)
    this.#bytes += bytesOf(item)
    while (this.size > maxItems || (this.#bytes > maxBytes && this.size > 1)) this.#dropOldest()
    // drops the front in large parts: removing one by one would move all others
    if (this.#first > maxItems / 2) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
  }

  #dropOldest(): void {
    const item = this.#items[this.#first]
    if (item === undefined) return
    // frees its memory at once
    this.#items[this.#first++] = undefined
    this.#bytes -= bytesOf(item)
    const trace = this.#traces.get(item.traceId)
    if (trace === undefined) return
    if (isSpan(item)) trace.spans.delete(item.spanId)
    else trace.logs.shift()
    if (trace.spans.size === 0 && trace.logs.length === 0) this.#traces.delete(item.traceId)
  }

  /** Drops a trace of the sidecar's own request, including spans that arrived first. */
  #ignore(traceId: string): void {
    this.#ignored.add(traceId)
    this.#answer = {question: '', isYes: false}
    const [oldest] = this.#ignored
    if (this.#ignored.size > MAX_IGNORED && oldest !== undefined) this.#ignored.delete(oldest)
    const {spans, logs} = this.#traces.get(traceId) ?? {spans: new Map(), logs: []}
    this.#traces.delete(traceId)
    // removes the items of the trace, which would displace others; they are among the latest, so this search is short
    for (let left = spans.size + logs.length, at = this.#items.length - 1; left > 0 && at >= this.#first; at--) {
      const item = this.#items[at]
      if (item?.traceId !== traceId) continue
      this.#items.splice(at, 1)
      this.#bytes -= bytesOf(item)
      left--
    }
  }
}

const isSpan = (item: ReceivedSpan | ReceivedLog): item is ReceivedSpan => 'details' in item

const bytesOf = (item: ReceivedSpan | ReceivedLog): number =>
  ITEM_BYTES + (isSpan(item) ? item.name.length + item.details.length : item.text.length + item.exception.length)
