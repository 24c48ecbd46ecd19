// observe/api/trace/ links each call to the call that caused it: by the trace that apps pass on, otherwise by what the gateway recorded:
// the calls that the caller was answering when it called. Guesses are marked as guesses.
import type {CallLink} from '../../../model/api.generated.ts'
import {traceIdOf} from '../../../model/traceparent.ts'

/** A use of a component, and the id of the event that it published; '': none. */
export interface PublishedCall {
  readonly event: string
  readonly call: TracedCall
}

/** Maximum number of events with the same id. */
const MAX_ALIKE = 8

/** The events that were published until now, by their ids. An app may choose an id, and use it again. */
export class PublishedEvents {
  readonly #ofId = new Map<string, TracedCall[]>()

  add({event, call}: PublishedCall): void {
    if (event === '') return
    const known = this.#ofId.get(event) ?? []
    this.#ofId.set(event, [...known.slice(1 - 2 * MAX_ALIKE), call])
  }

  /**
   * Returns the latest events that a delivery of `PUBSUB/TOPIC` may be about. Without one of this topic, returns those of
   * other topics, since a failed event moves to a topic of its own.
   */
  of(event: string, topic: string): readonly number[] {
    const known = this.#ofId.get(event) ?? []
    const ofTopic = known.filter(({to, path}) => `${to}/${path}` === topic)
    return (ofTopic.length > 0 ? ofTopic : known).slice(-MAX_ALIKE).map(({number}) => number)
  }
}

/** The data by which calls and other nodes are linked. Times are those of `performance.now()`, in ms. */
export interface TracedCall {
  /** Number; below 0 for a node that is not a call. */
  readonly number: number
  /** App id, or another recorded source. */
  readonly from: string
  readonly to: string
  readonly method: string
  readonly path: string
  readonly startedAt: number
  /** When the callee got the call; Infinity: not yet. */
  readonly admittedAt: number
  /** Begin of the response; Infinity: none yet. */
  readonly respondedAt: number
  /** End of the call; Infinity: under way. */
  readonly endedAt: number
  /** App id of the publisher of the delivered event; '': unknown, or the call delivers no event. */
  readonly publisher: string
  /** The `traceparent` of its caller; may be empty. */
  readonly cameWith: string
  /** The `traceparent` sent to the callee; may be empty. */
  readonly wentWith: string
  /** Its known cause or causes. Default: calls in flight are considered. */
  readonly madeFor?: {readonly parents: readonly number[]; readonly reason: 'trace' | 'event' | 'history'}
  /** Set if no app receives the call, so that it causes no calls. */
  readonly isLast?: boolean
  /** How much later than `startedAt` the node may have begun, in ms. */
  readonly startsWithinMs?: number
  /** Set if a sidecar may have begun the trace in `cameWith`: a trace other than the parent's is no doubt then. */
  readonly mayBeginTrace?: boolean
}

/** Chance of the cause of an event: the event may have waited, and been published for an earlier call. */
const EVENT = 0.8
/** Weight of a cause that has caused such a call already: it is less likely to cause another. */
const REPEATED = 0.25
/** Weight of a cause whose response has begun: an app seldom calls others for such a call. */
const ANSWERED = 0.2
/** Time after its end in which a call is still considered, in ms: clocks differ. */
const CLOCK_MS = 2

/** Finds the parent of each call. */
export class CallLinks {
  readonly #links = new Map<number, CallLink>()
  readonly #madeFor = new Map<number, number[]>()
  /** The calls that each app has got and may be answering. */
  readonly #inside = new Map<string, TracedCall[]>()
  readonly #ofTrace = new Map<string, TracedCall[]>()
  readonly #made = new Map<number, Set<string>>()

  /** Adds a call. Calls must be added in the order of their starts. */
  add(call: TracedCall): void {
    const {number, to, wentWith, isLast = false} = call
    const link = this.#linkOf(call)
    if (link !== undefined) {
      this.#links.set(number, link)
      append(this.#madeFor, link.parent, number)
      const kinds = this.#made.get(link.parent) ?? new Set()
      this.#made.set(link.parent, kinds.add(kindOf(call)))
    }
    if (isLast) return
    append(this.#inside, to, call)
    const trace = traceIdOf(wentWith)
    if (trace !== '') append(this.#ofTrace, `${trace} ${to}`, call)
  }

  /** Returns the link from a call to its cause. Undefined for calls from outside, or that an app made on its own. */
  of(number: number): CallLink | undefined {
    return this.#links.get(number)
  }

  /** Returns the calls that were made for a call, in the order of their starts. */
  madeFor(number: number): readonly number[] {
    return this.#madeFor.get(number) ?? []
  }

  #linkOf(call: TracedCall): CallLink | undefined {
    const {startedAt, cameWith, publisher, madeFor, startsWithinMs = 0, mayBeginTrace = false} = call
    // ids of workflows repeat: two may each seem to have started the other
    const isCircle = madeFor?.reason === 'history' && madeFor.parents.some(each => this.#isBelow(each, call.number))
    if (madeFor !== undefined && !isCircle) return this.#likeliest(madeFor.parents, madeFor.reason, call)
    const from = publisher || call.from
    const recent = (this.#inside.get(from) ?? []).filter(({endedAt}) => endedAt >= startedAt - CLOCK_MS)
    this.#inside.set(from, recent)
    // a call that this node has caused may have begun in the same ms, and cannot be its cause
    const isOther = ({number}: TracedCall): boolean => startsWithinMs === 0 || !this.#isBelow(number, call.number)
    const traced = this.#tracedBy(call, from).filter(isOther)
    const isOpen = (each: TracedCall): boolean =>
      each.admittedAt <= startedAt + startsWithinMs && each.endedAt >= startedAt && isOther(each)
    const possible = traced.length > 0 ? traced : recent.filter(isOpen)
    const weights = possible.map(each => this.#weightOf(each, call))
    const all = weights.reduce((sum, weight) => sum + weight, 0)
    const likeliest = weights.indexOf(Math.max(...weights)) // the oldest of several: apps begin with the first call
    const parent = possible[likeliest]
    if (parent === undefined) return undefined
    const isOnly = possible.length === 1
    // a caller that sent another trace than it received may have called on its own
    const isPlain =
      publisher === '' && parent.respondedAt > startedAt && (cameWith === '' || mayBeginTrace || parent.wentWith === '')
    const reason = isOnly && traced.length === 1 ? 'trace' : isOnly && isPlain ? 'only' : 'guess'
    const share = (weights[likeliest] ?? 0) / all
    const doubt = publisher !== '' ? EVENT : isOnly ? 0.5 : 1
    return {parent: parent.number, reason, chance: reason === 'guess' ? share * doubt : 1, candidates: possible.length}
  }

  /** Returns the link to the oldest possible cause that has not caused such a call yet. */
  #likeliest(
    parents: readonly number[],
    reason: Exclude<CallLink['reason'], 'only' | 'guess'>,
    call: TracedCall
  ): CallLink | undefined {
    const weights = parents.map((parent): number => (this.#isRepeated(parent, call) ? REPEATED : 1))
    const best = Math.max(...weights)
    const parent = parents[weights.indexOf(best)]
    if (parent === undefined) return undefined
    const candidates = parents.length
    const chance = best / weights.reduce((sum, weight) => sum + weight, 0)
    return {parent, reason: candidates === 1 ? reason : 'guess', chance, candidates}
  }

  #isBelow(number: number, above: number): boolean {
    for (let at: number | undefined = number; at !== undefined; at = this.#links.get(at)?.parent)
      if (at === above) return true
    return false
  }

  /** Returns possible causes by the trace: calls of it that the caller is answering, or else has answered; calls of the same span first. */
  #tracedBy({startedAt, startsWithinMs = 0, cameWith}: TracedCall, from: string): readonly TracedCall[] {
    const trace = traceIdOf(cameWith)
    const isBefore = ({admittedAt}: TracedCall): boolean => admittedAt <= startedAt + startsWithinMs
    const known = (this.#ofTrace.get(`${trace} ${from}`) ?? []).filter(isBefore)
    const open = known.filter(({endedAt}) => endedAt >= startedAt)
    const ofSpan = ({wentWith}: TracedCall): boolean => wentWith === cameWith
    return [open.filter(ofSpan), open, known.filter(ofSpan)].find(({length}) => length > 0) ?? known
  }

  #isRepeated(parent: number, call: TracedCall): boolean {
    return this.#made.get(parent)?.has(kindOf(call)) === true
  }

  #weightOf({number, respondedAt}: TracedCall, call: TracedCall): number {
    return (this.#isRepeated(number, call) ? REPEATED : 1) * (respondedAt <= call.startedAt ? ANSWERED : 1)
  }
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/** Returns a key, equal for calls of one kind: callee, method, and the path without its numbers and ids. */
export const kindOf = ({to, method, path}: TracedCall): string =>
  `${to} ${method} ${path.replace(/\?.*/s, '').replaceAll(/[^/]*\d[^/]*/g, '*')}`
