import {traceIdOf} from '../../../model/traceparent.ts'
import {wallTime} from '../../../platform/wall-time.ts'
import type {ReceivedLog, ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {Gathered, Other} from './gather.ts'
import type {JoinedTrace, SpanPlace} from './join-spans.ts'
import type {TracedCall} from './link-calls.ts'

/** A request with the spans of its apps. */
export interface SpanTree extends Gathered {
  readonly roots: readonly number[]
  /** Returns the children of a node, in the order of their starts. */
  readonly madeFor: (number: number) => readonly number[]
  /** Spans that describe calls or uses of components, by the number of that call or use. */
  readonly joined: ReadonlyMap<number, readonly ReceivedSpan[]>
  readonly logs: readonly TreeLog[]
}

/** A log record, and the number of the node below which it is shown. */
export interface TreeLog {
  readonly node: number
  readonly log: ReceivedLog
}

/** Adds the spans of a request to its calls. `traceId`: its spans make a tree even without a call. */
export function withSpans(gathered: Gathered, roots: readonly number[], traceId = ''): SpanTree {
  const {links, spans} = gathered
  const plain = {...gathered, roots, madeFor: (number: number) => links.madeFor(number), joined: new Map(), logs: []}
  return spans === undefined ? plain : new Layout(gathered, roots).with(traceId)
}

class Layout {
  readonly #gathered: Gathered
  readonly #roots: readonly number[]
  readonly #others: Map<number, Other>
  readonly #traced: Map<number, TracedCall>
  readonly #failed: Set<number>
  readonly #joined = new Map<number, ReceivedSpan[]>()
  readonly #numbers = new Map<ReceivedSpan, number>()
  readonly #above = new Map<number, number>()
  readonly #rows: Set<number>

  constructor(gathered: Gathered, roots: readonly number[]) {
    this.#gathered = gathered
    this.#roots = roots
    this.#others = new Map(gathered.others)
    this.#traced = new Map(gathered.traced)
    this.#failed = new Set(gathered.failed)
    this.#rows = new Set(below(roots, number => gathered.links.madeFor(number)))
  }

  with(traceId: string): SpanTree {
    const {links, spans} = this.#gathered
    const calls = [...this.#rows]
    for (const number of calls) {
      const parent = links.of(number)?.parent
      if (parent !== undefined && this.#rows.has(parent)) this.#above.set(number, parent)
    }
    const ids = new Set(calls.flatMap(number => this.#tracesOf(number)))
    if (traceId !== '') ids.add(traceId)
    const logs: TreeLog[] = []
    for (const id of ids) {
      const trace = spans?.of(id)
      if (trace === undefined) continue
      this.#add(trace, id)
      for (const log of trace.logs) logs.push({log, node: this.#placeOfLog(log, trace)})
    }
    for (const number of calls) this.#move(number)
    this.#breakCircles()
    const byParent = Map.groupBy(
      [...this.#rows].toSorted((a, b) => this.#startOf(a) - this.#startOf(b) || a - b),
      number => this.#above.get(number)
    )
    const madeFor = (number: number): readonly number[] => byParent.get(number) ?? []
    const shownRoots = byParent.get(undefined) ?? this.#roots
    const shown = new Set(below(shownRoots, madeFor))
    return {
      ...this.#gathered,
      others: this.#others,
      traced: this.#traced,
      failed: this.#failed,
      roots: shownRoots,
      madeFor,
      joined: this.#joined,
      logs: logs.filter(({node}) => shown.has(node))
    }
  }

  #tracesOf(number: number): readonly string[] {
    const {cameWith = '', wentWith = ''} = this.#traced.get(number) ?? {}
    return [traceIdOf(cameWith), traceIdOf(wentWith)].filter(id => id !== '')
  }

  /** Gives each span of a trace its own row, or the row of its call. */
  #add(trace: JoinedTrace, traceId: string): void {
    for (const span of trace.spans) {
      const call = trace.callOf(span)
      if (call === undefined) this.#addRow(span, traceId)
      else if (this.#rows.has(call.number)) {
        const known = this.#joined.get(call.number)
        if (known === undefined) this.#joined.set(call.number, [span])
        else known.push(span)
        if (span.isFailed) this.#failed.add(call.number)
      }
    }
    for (const span of trace.spans) {
      const number = this.#numbers.get(span)
      const place = trace.aboveSpan(span)
      // a span below a call of another request is not shown: its parent has no row here
      const above = typeof place === 'object' ? this.#numberOf(place) : place
      if (number !== undefined && above !== undefined) this.#above.set(number, above)
    }
  }

  #addRow(span: ReceivedSpan, traceId: string): void {
    const number = -1 - this.#others.size
    this.#numbers.set(span, number)
    this.#rows.add(number)
    this.#others.set(number, {kind: 'span', span})
    if (span.isFailed) this.#failed.add(number)
    const [startedAt, endedAt] = [wallTime.at(span.startedAt), wallTime.at(span.endedAt)]
    const times = {startedAt, admittedAt: startedAt, respondedAt: endedAt, endedAt}
    const traceparent = `00-${traceId}-${span.spanId}-01`
    this.#traced.set(number, {
      ...times,
      number,
      from: span.app,
      to: '',
      method: 'span',
      path: span.name,
      publisher: '',
      cameWith: traceparent,
      wentWith: '',
      isLast: true
    })
  }

  /** Puts a call below the span in which its caller made it. */
  #move(number: number): void {
    const call = this.#traced.get(number)
    const above = call && this.#numberOf(this.#gathered.spans?.of(traceIdOf(call.cameWith))?.aboveCall(call))
    if (above !== undefined && above !== number) this.#above.set(number, above)
  }

  /** Returns the number of a place. Undefined if it is outside this request. */
  #numberOf(place: SpanPlace | undefined): number | undefined {
    const number = typeof place === 'object' ? this.#numbers.get(place) : place
    return number !== undefined && this.#rows.has(number) ? number : undefined
  }

  #placeOfLog({spanId, app, at}: ReceivedLog, trace: JoinedTrace): number {
    const span = trace.span(spanId)
    const own = span && (this.#numberOf(span) ?? this.#numberOf(trace.callOf(span)?.number))
    return own ?? this.#numberOf(trace.answeredBy(app, wallTime.at(at))) ?? this.#roots[0] ?? 0
  }

  /** Makes a span that is its own ancestor a root: received ids may be arbitrary. */
  #breakCircles(): void {
    const done = new Set<number>()
    for (const start of this.#rows) {
      const path = new Set<number>()
      let at: number | undefined = start
      while (at !== undefined && !done.has(at)) {
        path.add(at)
        const above: number | undefined = this.#above.get(at)
        if (above !== undefined && path.has(above)) this.#above.delete(at)
        at = this.#above.get(at)
      }
      for (const each of path) done.add(each)
    }
  }

  #startOf(number: number): number {
    return this.#traced.get(number)?.startedAt ?? 0
  }
}

function below(roots: readonly number[], madeFor: (number: number) => readonly number[]): readonly number[] {
  const found: number[] = []
  const left = [...roots]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    found.push(next)
    left.push(...madeFor(next))
  }
  return found
}
