import {LatencyHistogram} from './latency-histogram.ts'

/** Seconds that the recent figures of an edge cover. */
export const RECENT_SECONDS = 10
/** All further pairs are counted as one, with the callee ''. */
const MAX_EDGES = 4096

/** Who calls whom, and how it went. */
export class Edge {
  readonly index: number
  readonly caller: string
  readonly callee: string
  calls = 0
  failed = 0
  /** Those that waited in the queue. */
  waited = 0
  requestBytes = 0
  responseBytes = 0
  /** Of language models. */
  promptTokens = 0
  completionTokens = 0
  readonly latency = new LatencyHistogram()
  /** Of a body, so many bytes are kept each way; -1: its calls are not recorded. An edit of the template changes it. */
  bodyBytes: number
  /** Of each of the last seconds: which one, its calls, and those that failed. */
  readonly #seconds = new Uint32Array(3 * RECENT_SECONDS)

  constructor(index: number, {caller, callee, bodyBytes}: Pick<Edge, 'caller' | 'callee' | 'bodyBytes'>) {
    this.index = index
    this.bodyBytes = bodyBytes
    this.caller = caller
    this.callee = callee
  }

  /** A call is over, at this time in ms. */
  count(endedAt: number, totalMs: number, isFailed: boolean): void {
    this.calls++
    if (isFailed) this.failed++
    this.latency.add(totalMs)
    const second = Math.floor(endedAt / 1000)
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

  /** Calls, and failed ones, of the last ten seconds before this time in ms. */
  recent(now: number): {readonly calls: number; readonly failed: number} {
    const oldest = Math.floor(now / 1000) - RECENT_SECONDS
    let calls = 0
    let failed = 0
    for (let at = 0; at < this.#seconds.length; at += 3) {
      if ((this.#seconds[at] ?? 0) <= oldest) continue
      calls += this.#seconds[at + 1] ?? 0
      failed += this.#seconds[at + 2] ?? 0
    }
    return {calls, failed}
  }
}

/** Of a body of the calls of this app, so many bytes are kept; -1: its calls are not recorded; undefined: it is none of the run. */
export type BodyBytesOf = (app: string) => number | undefined

/** Where neither of the two is an app of the run. */
const BODY_BYTES = 16 * 1024

/** The edges of a run, found by caller and callee. */
export class Edges {
  readonly #bodyBytesOf: BodyBytesOf
  readonly #all: Edge[] = []
  readonly #byCaller = new Map<string, Map<string, Edge>>()
  /** Calls that come one after the other are often alike. */
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

  /** Calls of the last ten seconds, and failed ones, by callee. */
  recentCalls(now = performance.now()): ReadonlyMap<string, {readonly calls: number; readonly failed: number}> {
    const all = new Map<string, {calls: number; failed: number}>()
    for (const edge of this.#all) {
      const {calls, failed} = edge.recent(now)
      const sum = all.get(edge.callee) ?? {calls: 0, failed: 0}
      all.set(edge.callee, {calls: sum.calls + calls, failed: sum.failed + failed})
    }
    return all
  }

  /** What the template says of recording has changed. An edge of apps that have left keeps what they said. */
  refresh(): void {
    for (const edge of this.#all) edge.bodyBytes = this.#bodyBytesBetween(edge.caller, edge.callee) ?? edge.bodyBytes
  }

  #bodyBytesBetween(caller: string, callee: string): number | undefined {
    const own = this.#bodyBytesOf(caller)
    const other = this.#bodyBytesOf(callee)
    return own === undefined || other === undefined ? (own ?? other) : Math.min(own, other)
  }

  #add(caller: string, callee: string): Edge {
    if (this.#all.length >= MAX_EDGES && callee !== '') return this.between('', '')
    const bodyBytes = this.#bodyBytesBetween(caller, callee) ?? BODY_BYTES
    const edge = new Edge(this.#all.length, {caller, callee, bodyBytes})
    this.#all.push(edge)
    const callees = this.#byCaller.get(caller) ?? new Map<string, Edge>()
    this.#byCaller.set(caller, callees)
    callees.set(callee, edge)
    return edge
  }
}
