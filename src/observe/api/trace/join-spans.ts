import {spanIdOf, traceIdOf} from '../../../model/traceparent.ts'
import {wallTime} from '../../../platform/wall-time.ts'
import {attributeText} from '../../telemetry/otlp/conventions.ts'
import {spanDetails, KIND, type ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {KeptTrace} from '../../telemetry/otlp/span-store.ts'
import type {TracedCall} from './link-calls.ts'

/** Some SDKs round the start of a span down to whole ms: it may seem to begin before its parent. */
const CLOCK_MS = 1

/** The place of a span or call in its trace: below a call (or a use of a component) with this number, or below a span. */
export type SpanPlace = number | ReceivedSpan

/** The traces that apps have sent spans of. */
export class JoinedTraces {
  readonly #kept: ReadonlyMap<string, KeptTrace>
  readonly #calls = new Map<string, TracedCall[]>()
  readonly #joined = new Map<string, JoinedTrace>()

  constructor(kept: ReadonlyMap<string, KeptTrace>) {
    this.#kept = kept
  }

  /** Adds a call or another node of a trace. All must be added, the oldest first, before the first use of `of`. */
  add(call: TracedCall): void {
    for (const id of new Set([traceIdOf(call.cameWith), traceIdOf(call.wentWith)])) {
      if (!this.#kept.has(id)) continue
      const calls = this.#calls.get(id)
      if (calls === undefined) this.#calls.set(id, [call])
      else calls.push(call)
    }
  }

  /** Returns the spans of a trace. Undefined if no app has sent any. */
  of(traceId: string): JoinedTrace | undefined {
    const known = this.#joined.get(traceId)
    const kept = this.#kept.get(traceId)
    if (known !== undefined || kept === undefined) return known
    const joined = new JoinedTrace(kept, this.#calls.get(traceId) ?? [])
    this.#joined.set(traceId, joined)
    return joined
  }
}

/** A trace: which of its spans describe recorded calls, as seen by caller or callee, and the parent of each. */
export class JoinedTrace {
  /** The spans in the order of their starts. */
  readonly spans: readonly ReceivedSpan[]
  readonly #trace: KeptTrace
  /** The calls that each app received, by app id. */
  readonly #got: ReadonlyMap<string, readonly Got[]>
  /** Calls by the span id in the `traceparent` sent to the callee, and by that received from the caller. */
  readonly #byWent: ReadonlyMap<string, readonly TracedCall[]>
  readonly #byCame: ReadonlyMap<string, readonly TracedCall[]>
  /** The recorded call that a span describes, by the id of the span. */
  readonly #joined = new Map<string, TracedCall>()
  /** Cached results of `callAround`. */
  readonly #around = new Map<ReceivedSpan, number | undefined>()
  readonly #callees = new Set<TracedCall>()
  readonly #callers = new Set<TracedCall>()

  /** `calls`: calls and other parts of this trace, the oldest first. */
  constructor(trace: KeptTrace, calls: readonly TracedCall[]) {
    this.#trace = trace
    this.spans = [...trace.spans.values()].toSorted((a, b) => a.startedAt - b.startedAt)
    this.#got = gotByApp(calls)
    this.#byWent = Map.groupBy(calls, ({wentWith}) => spanIdOf(wentWith))
    this.#byCame = Map.groupBy(calls, ({cameWith}) => spanIdOf(cameWith))
    for (const span of this.spans) this.#join(span)
  }

  get logs(): KeptTrace['logs'] {
    return this.#trace.logs
  }

  span(spanId: string): ReceivedSpan | undefined {
    return this.#trace.spans.get(spanId)
  }

  /** Returns the recorded call that a span describes, if any. */
  callOf({spanId}: ReceivedSpan): TracedCall | undefined {
    return this.#joined.get(spanId)
  }

  /** Returns the parent of a span, if there is one. */
  aboveSpan(span: ReceivedSpan): SpanPlace | undefined {
    const {parentId} = span
    const parent = parentId === '' ? undefined : this.#trace.spans.get(parentId)
    if (parent !== undefined) return this.#placeOf(parent)
    const own = this.callOf(span)
    if (parentId === '') return undefined
    const named = [...(this.#byWent.get(parentId) ?? []), ...(this.#byCame.get(parentId) ?? [])].filter(
      call => call !== own
    )
    const call =
      named.find(each => isServiceOf(each.to, span)) ?? named[0] ?? this.#openAt(span.app, wallTime.at(span.startedAt))
    return call === own ? undefined : call?.number
  }

  /** Returns the parent of a call, by the spans of its caller. Undefined if the spans do not show it. */
  aboveCall(call: TracedCall): SpanPlace | undefined {
    const span = this.#trace.spans.get(spanIdOf(call.cameWith))
    if (span === undefined) return undefined
    return this.callOf(span)?.number === call.number ? this.aboveSpan(span) : this.#placeOf(span)
  }

  /** Returns the call that caused a call, if spans between them prove it. */
  provenParent(call: TracedCall): number | undefined {
    const above = this.aboveCall(call)
    return typeof above === 'object' ? this.callAround(above) : above
  }

  /** Returns the call (or use of a component) that a span describes, or in which it ran, if there is one. */
  callAround(span: ReceivedSpan): number | undefined {
    const path: ReceivedSpan[] = []
    let place: SpanPlace | undefined = this.#placeOf(span)
    while (typeof place === 'object' && !this.#around.has(place)) {
      // a span that is its own ancestor has no call
      this.#around.set(place, undefined)
      path.push(place)
      place = this.aboveSpan(place)
    }
    const number = typeof place === 'object' ? this.#around.get(place) : place
    for (const each of path) this.#around.set(each, number)
    return number
  }

  /** Returns the latest call that the app was answering at a moment. */
  answeredBy(app: string, moment: number): number | undefined {
    return this.#openAt(app, moment)?.number
  }

  #placeOf(span: ReceivedSpan): SpanPlace {
    return this.callOf(span)?.number ?? span
  }

  #openAt(app: string, moment: number): TracedCall | undefined {
    const got = this.#got.get(idIn(app)) ?? []
    for (let at = begunBy(got, moment + CLOCK_MS) - 1; at >= 0; at--) {
      const {call, latestEnd = 0}: Partial<Got> = got[at] ?? {}
      if (call === undefined || latestEnd < moment) return undefined
      if (isSame(call.to, app) && call.admittedAt - CLOCK_MS <= moment && moment <= call.endedAt) return call
    }
    return undefined
  }

  #join(span: ReceivedSpan): void {
    const {kind, spanId, parentId} = span
    const isCaller = kind === KIND.client || kind === KIND.producer
    const isCallee = kind === KIND.server || kind === KIND.consumer
    const known = isCaller
      ? this.#byCame.get(spanId)
      : isCallee && parentId !== ''
        ? this.#byWent.get(parentId)
        : undefined
    if (known === undefined) return
    const taken = isCaller ? this.#callers : this.#callees
    const possible = known.filter(
      call => !taken.has(call) && (isCaller ? isSame(call.from, span.app) : isAnswer(call, span))
    )
    const call = possible.length < 2 ? possible[0] : (possible.find(each => isSameRequest(each, span)) ?? possible[0])
    if (call === undefined) return
    taken.add(call)
    this.#joined.set(spanId, call)
  }
}

/** A call that an app received. `latestEnd`: latest end of this and all earlier calls, at which a search among thousands of calls may stop. */
interface Got {
  readonly call: TracedCall
  readonly latestEnd: number
}

function gotByApp(calls: readonly TracedCall[]): ReadonlyMap<string, readonly Got[]> {
  const all = new Map<string, Got[]>()
  for (const call of calls) {
    if (call.isLast === true) continue
    const got = all.get(idIn(call.to)) ?? []
    all.set(idIn(call.to), got)
    got.push({call, latestEnd: Math.max(call.endedAt, got.at(-1)?.latestEnd ?? 0)})
  }
  return all
}

/** Returns the number of calls that had begun by a moment. */
function begunBy(got: readonly Got[], moment: number): number {
  let [low, high] = [0, got.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((got[middle]?.call.startedAt ?? 0) <= moment) low = middle + 1
    else high = middle
  }
  return low
}

/** Returns the id in the name of an app that may have its version. */
const idIn = (name: string): string => name.split('@', 1)[0] ?? ''

/** Whether a name is an app's id, or its id and version (`shop@1.2.0`). */
const isSame = (name: string, app: string): boolean => name === app || name.startsWith(`${app}@`)
const isServiceOf = (to: string, {app}: ReceivedSpan): boolean => isSame(to, app)

const isAnswer = ({to, isLast = false, admittedAt, endedAt}: TracedCall, span: ReceivedSpan): boolean => {
  const start = wallTime.at(span.startedAt)
  return !isLast && isServiceOf(to, span) && admittedAt - CLOCK_MS <= start && start <= endedAt + CLOCK_MS
}

function isSameRequest({method, path}: TracedCall, span: ReceivedSpan): boolean {
  const {attributes} = spanDetails(span)
  const [, own = ''] =
    /^([^?]*)/s.exec(attributeText('path', attributes) || pathIn(attributeText('url', attributes))) ?? []
  return attributeText('method', attributes) === method && own !== '' && path.replace(/\?.*$/s, '').endsWith(own)
}

const pathIn = (url: string): string => url.replace(/^[a-z]+:\/\/[^/]*/i, '')
