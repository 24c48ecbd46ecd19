// observe/api/trace/ finds which call was made to answer which: by the trace that apps pass on, and where they pass none on, by what this one
// process saw: which calls the caller was answering when it called. It never says that it is sure where it is not.

import {traceIdOf} from '../../../work/workflow/work-spans.ts'

/** What is known of a call. Times are those of `performance.now()`, in ms. */
export interface TracedCall {
  readonly number: number
  /** App id, or what it is recorded as coming from. */
  readonly from: string
  readonly to: string
  readonly method: string
  readonly path: string
  readonly startedAt: number
  /** When the callee got it; Infinity: not yet. */
  readonly admittedAt: number
  /** When its response began; Infinity: not yet, or it did not come. */
  readonly respondedAt: number
  /** Infinity: it is under way. */
  readonly endedAt: number
  /** App id of the publisher, if it delivers an event; '' = none. */
  readonly publisher: string
  /** The `traceparent` that its caller sent; '' = none. */
  readonly cameWith: string
  /** The `traceparent` that went to the callee; '' = none. */
  readonly wentWith: string
}

/** Why a call is believed to belong to another one. */
export type LinkReason =
  /** Its caller passed on the trace of that call. */
  | 'trace'
  /** That call was the only one that the caller was answering. */
  | 'only'
  /** Others are possible, too. */
  | 'guess'

/** The call that a call was made for. */
export interface Link {
  /** Its number. */
  readonly parent: number
  readonly reason: LinkReason
  /** From 0 to 1. */
  readonly chance: number
  /** How many calls are possible. */
  readonly candidates: number
}

/** An event may have waited, and been published for an earlier call. */
const EVENT = 0.8
/** A call that has made such a call already is less likely to make another one. */
const REPEATED = 0.25
/** An app seldom calls others for a call that it has begun to answer. */
const ANSWERED = 0.2

/** Finds for each call the one that it was made for. */
export class CallLinks {
  readonly #links = new Map<number, Link>()
  /** The calls that each app has got and may be answering. */
  readonly #inside = new Map<string, TracedCall[]>()
  /** The latest call of each trace, and of each trace in each app. */
  readonly #latest = new Map<string, TracedCall>()
  /** Kinds of calls that were made for each call. */
  readonly #made = new Map<number, Set<string>>()

  /** Adds a call. They are to come in the order of their starts. */
  add(call: TracedCall): void {
    const {number, to, startedAt, wentWith} = call
    const from = call.publisher || call.from
    const open = (this.#inside.get(from) ?? []).filter(({endedAt}) => endedAt >= startedAt)
    this.#inside.set(from, open)
    const link = this.#linkOf(
      call,
      open.filter(({admittedAt}) => admittedAt <= startedAt)
    )
    if (link !== undefined) {
      this.#links.set(number, link)
      const kinds = this.#made.get(link.parent) ?? new Set()
      this.#made.set(link.parent, kinds.add(kindOf(call)))
    }
    const trace = traceIdOf(wentWith)
    if (trace !== '') this.#latest.set(trace, call).set(`${trace} ${to}`, call)
    const inside = this.#inside.get(to)
    if (inside === undefined) this.#inside.set(to, [call])
    else inside.push(call)
  }

  /** The call that a call was made for; undefined: for none that was added. It came from outside, or its app made it on its own. */
  of(number: number): Link | undefined {
    return this.#links.get(number)
  }

  #linkOf(call: TracedCall, open: readonly TracedCall[]): Link | undefined {
    const {startedAt, cameWith, from, publisher} = call
    const trace = traceIdOf(cameWith)
    const ofTrace = trace === '' ? [] : open.filter(({wentWith}) => traceIdOf(wentWith) === trace)
    // the very span that its caller was given, or one that the caller has begun in that trace
    const ofSpan = ofTrace.filter(({wentWith}) => wentWith === cameWith)
    const told = ofSpan.length > 0 ? ofSpan : ofTrace
    const late = this.#latest.get(`${trace} ${from}`) ?? this.#latest.get(trace)
    if (told.length === 0 && trace !== '' && late !== undefined)
      return {parent: late.number, reason: 'trace', chance: 1, candidates: 1}
    const possible = told.length > 0 ? told : open
    const weights = possible.map(each => this.#weightOf(each, call))
    const all = weights.reduce((sum, weight) => sum + weight, 0)
    const likeliest = weights.indexOf(Math.max(...weights)) // the oldest of several: apps begin with what came first
    const parent = possible[likeliest]
    if (parent === undefined) return undefined
    const isOnly = possible.length === 1
    // a caller that sent another trace than it got may have called on its own
    const isPlain = publisher === '' && parent.respondedAt > startedAt && (trace === '' || parent.wentWith === '')
    const reason = isOnly && told.length === 1 ? 'trace' : isOnly && isPlain ? 'only' : 'guess'
    const share = (weights[likeliest] ?? 0) / all
    const doubt = publisher !== '' ? EVENT : isOnly ? 0.5 : 1
    return {parent: parent.number, reason, chance: reason === 'guess' ? share * doubt : 1, candidates: possible.length}
  }

  #weightOf({number, respondedAt}: TracedCall, call: TracedCall): number {
    const hasMade = this.#made.get(number)?.has(kindOf(call)) === true
    return (hasMade ? REPEATED : 1) * (respondedAt <= call.startedAt ? ANSWERED : 1)
  }
}

/** What is alike in calls of one kind: the callee, the method, and the path without its numbers and ids. */
const kindOf = ({to, method, path}: TracedCall): string =>
  `${to} ${method} ${path.replace(/\?.*/s, '').replaceAll(/[^/]*\d[^/]*/g, '*')}`
