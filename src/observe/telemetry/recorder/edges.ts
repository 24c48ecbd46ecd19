import {LatencyHistogram} from './latency-histogram.ts'

/** Seconds that the recent figures of an edge cover. */
export const RECENT_SECONDS = 60
/** Seconds of each half of the recent latencies. The older half is forgotten as a whole. */
const HALF_SECONDS = RECENT_SECONDS / 2
/** Maximum number of edges. All further pairs of apps share one, with caller and callee ''. */
const MAX_EDGES = 4096

/** An edge of the graph of calls: figures of all calls from one app to another. */
export class Edge {
  readonly index: number
  readonly caller: string
  readonly callee: string
  calls = 0
  failed = 0
  /** How many calls waited in the queue of the callee. */
  waited = 0
  requestBytes = 0
  responseBytes = 0
  /** Tokens of language models. */
  promptTokens = 0
  completionTokens = 0
  readonly latency = new LatencyHistogram()
  /** Bytes of a body to keep in each direction; -1: calls are not recorded. An edit may change it. */
  bodyBytes: number
  /** Three numbers for each of the last seconds: the second, its calls, its failed calls. */
  readonly #seconds = new Uint32Array(3 * RECENT_SECONDS)
  #half = 0
  #latest = new LatencyHistogram()
  #before = new LatencyHistogram()

  constructor(index: number, {caller, callee, bodyBytes}: Pick<Edge, 'caller' | 'callee' | 'bodyBytes'>) {
    this.index = index
    this.bodyBytes = bodyBytes
    this.caller = caller
    this.callee = callee
  }

  /** Counts a call that ended at this time, in ms. */
  count(endedAt: number, totalMs: number, isFailed: boolean): void {
    this.calls++
    if (isFailed) this.failed++
    this.latency.add(totalMs)
    const second = Math.floor(endedAt / 1000)
    this.#turn(second)
    this.#latest.add(totalMs)
    const at = (second % RECENT_SECONDS) * 3
    const seconds = this.#seconds
    if (seconds[at] !== second) {
      seconds[at] = second
      seconds[at + 1] = 0
      seconds[at + 2] = 0
    }
    seconds[at + 1] = (seconds[at + 1] ?? 0) + 1
    if (isFailed) seconds[at + 2] = (seconds[at + 2] ?? 0) + 1
  }

  /** Begins a new histogram if a second is in a later half minute. */
  #turn(second: number): void {
    const half = Math.floor(second / HALF_SECONDS)
    if (half <= this.#half) return
    ;[this.#before, this.#latest] = [this.#latest, this.#before]
    this.#latest.clear()
    if (half > this.#half + 1) this.#before.clear()
    this.#half = half
  }

  /** Returns the counts of the last seconds before a time in ms. */
  recent(now: number): RecentCalls {
    const second = Math.floor(now / 1000)
    this.#turn(second)
    const oldest = second - RECENT_SECONDS
    let calls = 0
    let failed = 0
    for (let at = 0; at < this.#seconds.length; at += 3) {
      if ((this.#seconds[at] ?? 0) <= oldest) continue
      calls += this.#seconds[at + 1] ?? 0
      failed += this.#seconds[at + 2] ?? 0
    }
    return {calls, failed, p95Ms: this.#latest.percentile(0.95, this.#before)}
  }
}

/** Calls of the last seconds. */
export interface RecentCalls {
  readonly calls: number
  readonly failed: number
  /** The 95th percentile of the durations; for several edges that of the slowest. */
  readonly p95Ms: number
}

/** Returns how many bytes of a body of this app's calls to keep; -1: not recorded; undefined: not an app of the run. */
export type BodyBytesOf = (app: string) => number | undefined

/** Bytes of a body to keep if neither end is an app of the run. */
const BODY_BYTES = 16 * 1024

/** The edges of a run, found by caller and callee. */
export class Edges {
  readonly #bodyBytesOf: BodyBytesOf
  readonly #all: Edge[] = []
  readonly #byCaller = new Map<string, Map<string, Edge>>()
  /** Edge that unrecorded pairs share once there are `MAX_EDGES`; not in `all`. */
  readonly #unrecorded = new Edge(0, {caller: '', callee: ' ', bodyBytes: -1})
  /** Edge of the latest call: calls in a row are often alike. */
  #latest: Edge | undefined

  constructor(bodyBytesOf: BodyBytesOf) {
    this.#bodyBytesOf = bodyBytesOf
  }

  get all(): readonly Edge[] {
    return this.#all
  }

  at(index: number): Edge | undefined {
    return this.#all[index]
  }

  between(caller: string, callee: string): Edge {
    const latest = this.#latest
    if (latest !== undefined && latest.callee === callee && latest.caller === caller) return latest
    const edge = this.#byCaller.get(caller)?.get(callee) ?? this.#add(caller, callee)
    this.#latest = edge
    return edge
  }

  /** Returns the calls of the last seconds, by callee. */
  recentCalls(now = performance.now()): ReadonlyMap<string, RecentCalls> {
    const all = new Map<string, RecentCalls>()
    for (const edge of this.#all) {
      const {calls, failed, p95Ms} = edge.recent(now)
      const sum = all.get(edge.callee) ?? {calls: 0, failed: 0, p95Ms: 0}
      all.set(edge.callee, {calls: sum.calls + calls, failed: sum.failed + failed, p95Ms: Math.max(sum.p95Ms, p95Ms)})
    }
    return all
  }

  /** Reads the template's limits of recording again after an edit. An edge of apps that have left the run keeps its limit. */
  refresh(): void {
    for (const edge of this.#all) edge.bodyBytes = this.#bodyBytesBetween(edge.caller, edge.callee) ?? edge.bodyBytes
  }

  #bodyBytesBetween(caller: string, callee: string): number | undefined {
    const own = this.#bodyBytesOf(caller)
    const other = this.#bodyBytesOf(callee)
    return own === undefined || other === undefined ? (own ?? other) : Math.min(own, other)
  }

  #add(caller: string, callee: string): Edge {
    const bodyBytes = this.#bodyBytesBetween(caller, callee) ?? BODY_BYTES
    if (this.#all.length >= MAX_EDGES && callee !== '') return bodyBytes < 0 ? this.#unrecorded : this.between('', '')
    const edge = new Edge(this.#all.length, {caller, callee, bodyBytes})
    this.#all.push(edge)
    const callees = this.#byCaller.get(caller) ?? new Map<string, Edge>()
    this.#byCaller.set(caller, callees)
    callees.set(callee, edge)
    return edge
  }
}
