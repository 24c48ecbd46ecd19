import type {Environment} from '../model/environment.ts'
import type {Call} from '../model/call.ts'
import type {Reporter} from '../model/reporter.ts'
import {isHeld, type Admission, type Admit, type Held} from '../proxy/gateway/admission.ts'
import {livingRuns} from './living-runs.ts'
import type {PeerRuns} from './peer-runs.ts'

/** Traces that are remembered; the oldest are forgotten first. */
const MAX_TRACES = 10_000
/** How long after its response an app's own calls may still belong to the call. */
const AFTER_MS = 2000
/** How long the list of another run's apps is cached. */
const APPS_MS = 2000

/** A run whose calls our apps serve (`--rest`), as it was when we last looked. */
interface Borrower {
  appIds: ReadonlySet<string>
  askedAt: number
  /** Our apps that it has called. */
  readonly called: Set<string>
}

/** Where a trace has come to us from. */
interface Origin {
  readonly run: string
  /** The number of its calls that have not ended. */
  inFlight: number
  endedAt: number
}

/**
 * The calls of other copies that our apps serve. What an app of ours calls in the trace of such a call goes back to that copy, if it has
 * the app itself: there is the one that its person tries out.
 */
export class BorrowedCalls {
  readonly #env: Environment
  readonly #peerRuns: Pick<PeerRuns, 'admitIn'>
  readonly #reporter: Reporter
  /** Where calls came from, by trace id. A replay to us may have the same id: the entry applies while a borrowed call is under way. */
  readonly #traces = new Map<string, Origin>()
  readonly #borrowers = new Map<string, Borrower>()
  readonly #reported = new Set<string>()

  constructor(env: Environment, peerRuns: Pick<PeerRuns, 'admitIn'>, reporter: Reporter) {
    this.#env = env
    this.#peerRuns = peerRuns
    this.#reporter = reporter
  }

  /** Wraps the route of the calls at one of our sidecars: calls that came from another copy go back there. */
  readonly around =
    (admit: Admit): Admit =>
    (call, isRefused, caller) => {
      if (caller?.run !== undefined) {
        const origin = this.#originOf(call, caller.run)
        const admission = admit(call, isRefused, caller)
        return origin === undefined ? admission : counted(admission, origin)
      }
      const run = this.#borrowerOf(call)
      return run === undefined ? admit(call, isRefused, caller) : this.#peerRuns.admitIn(run)(call, isRefused)
    }

  #originOf(call: Call, run: string): Origin | undefined {
    const trace = traceOf(call)
    if (trace === undefined) return undefined
    const before = this.#traces.get(trace)
    const origin = before?.run === run ? before : {run, inFlight: 0, endedAt: -Infinity}
    this.#traces.delete(trace)
    this.#traces.set(trace, origin)
    const [oldest] = this.#traces.keys()
    if (this.#traces.size > MAX_TRACES && oldest !== undefined) this.#traces.delete(oldest)
    const known = this.#borrowers.get(run) ?? {appIds: new Set<string>(), askedAt: -Infinity, called: new Set<string>()}
    known.called.add(call.callee)
    this.#borrowers.set(run, known)
    return origin
  }

  /** The run from which this call comes in the end, and which has the callee; undefined: it is a call of our own. */
  #borrowerOf(call: Call): string | undefined {
    const trace = traceOf(call)
    if (trace === undefined) return this.#tell(call)
    const origin = this.#traces.get(trace)
    if (origin === undefined) return undefined
    if (origin.inFlight === 0 && performance.now() - origin.endedAt > AFTER_MS) {
      this.#traces.delete(trace)
      return undefined
    }
    return this.#appsOf(origin.run).has(call.callee) ? origin.run : undefined
  }

  /** The apps of another run; empty if it has ended. */
  #appsOf(run: string): ReadonlySet<string> {
    const borrower = this.#borrowers.get(run)
    if (borrower === undefined) return new Set()
    if (performance.now() - borrower.askedAt > APPS_MS) {
      borrower.appIds = new Set(livingRuns(this.#env).find(({name}) => name === run)?.appIds)
      borrower.askedAt = performance.now()
    }
    return borrower.appIds
  }

  /** The first call that may belong to another copy, and does not say so. */
  #tell({caller, callee}: Call): undefined {
    for (const [run, {called}] of this.#borrowers) {
      const pair = `${run} ${caller} ${callee}`
      if (this.#reported.has(pair) || !called.has(caller) || !this.#appsOf(run).has(callee)) continue
      this.#reported.add(pair)
      this.#reporter.warn(
        'call-not-brought-back',
        `"${caller}" calls "${callee}" without a traceparent: the call stays here, also if it belongs to one of "${run}", which has a "${callee}" of its own. Let "${caller}" pass the header traceparent on`
      )
    }
    return undefined
  }
}

/** The admission, by which it is known how long the call is under way. */
function counted(admission: Admission | Held, origin: Origin): Admission | Held {
  origin.inFlight++
  const end = (): void => {
    origin.inFlight--
    origin.endedAt = performance.now()
  }
  const follow = (settled: Admission): Admission => {
    if (!settled.ok) {
      end()
      return settled
    }
    return {
      ...settled,
      leave: isBroken => {
        end()
        settled.leave(isBroken)
      }
    }
  }
  if (!isHeld(admission)) return follow(admission)
  const admitted = admission.admitted.then(follow, (error: unknown) => {
    end()
    throw error
  })
  return {...admission, admitted, cancel: () => admission.cancel()}
}

/** The id of the trace that the caller has named (W3C Trace Context); undefined: none. */
function traceOf({sent}: Call): string | undefined {
  if (sent?.trace !== undefined) return TRACE_ID.exec(sent.trace)?.[1]
  const head = sent?.text === undefined ? (sent?.lines ?? '') : sent.text.slice(0, sent.size)
  return TRACE_ID.exec(/^traceparent:[ \t]*(.*)$/im.exec(head)?.[1] ?? '')?.[1]
}

const TRACE_ID = /^[0-9a-f]{2}-([0-9a-f]{32})-/
