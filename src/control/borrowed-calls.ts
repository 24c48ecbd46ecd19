import type {Environment} from '../model/environment.ts'
import type {Call} from '../model/call.ts'
import type {Reporter} from '../model/reporter.ts'
import type {Admit} from '../proxy/gateway/admission.ts'
import {livingRuns} from './living-runs.ts'
import type {PeerRuns} from './peer-runs.ts'

export interface BorrowedCallsOptions {
  /** The environment that we were started in. */
  readonly env: Environment
  /** The way to apps of other runs. */
  readonly peerRuns: Pick<PeerRuns, 'admitIn'>
  readonly reporter: Reporter
}

/** Traces that are remembered; the oldest are forgotten first. */
const MAX_TRACES = 10_000
/** How long it is taken for granted which apps another run has. */
const APPS_MS = 2000

/** A run whose calls our apps serve (`--rest`), as it was when we last looked. */
interface Borrower {
  appIds: ReadonlySet<string>
  askedAt: number
  /** Our apps that it has called. */
  readonly called: Set<string>
}

/**
 * The calls of other copies that our apps serve. What an app of ours calls in the trace of such a call goes back to that copy, if it has
 * the app itself: there is the one that its person tries out.
 */
export class BorrowedCalls {
  readonly #options: BorrowedCallsOptions
  /** The run in which a trace came to us, by the trace's id. */
  readonly #traces = new Map<string, string>()
  readonly #borrowers = new Map<string, Borrower>()
  readonly #reported = new Set<string>()

  constructor(options: BorrowedCallsOptions) {
    this.#options = options
  }

  /** The way of the calls at one of our sidecars, with those brought back that came from another copy. */
  readonly around =
    (admit: Admit): Admit =>
    (call, isRefused, caller) => {
      if (caller?.run !== undefined) this.#note(call, caller.run)
      const run = caller?.run === undefined ? this.#borrowerOf(call) : undefined
      return run === undefined ? admit(call, isRefused, caller) : this.#options.peerRuns.admitIn(run)(call, isRefused)
    }

  #note(call: Call, run: string): void {
    const trace = traceOf(call)
    if (trace === undefined) return
    this.#traces.delete(trace)
    this.#traces.set(trace, run)
    const [oldest] = this.#traces.keys()
    if (this.#traces.size > MAX_TRACES && oldest !== undefined) this.#traces.delete(oldest)
    const known = this.#borrowers.get(run) ?? {appIds: new Set<string>(), askedAt: -Infinity, called: new Set<string>()}
    known.called.add(call.callee)
    this.#borrowers.set(run, known)
  }

  /** The run from which this call comes in the end, and which has the callee; undefined: it is a call of our own. */
  #borrowerOf(call: Call): string | undefined {
    const trace = traceOf(call)
    if (trace === undefined) return this.#tell(call)
    const run = this.#traces.get(trace)
    return run !== undefined && this.#appsOf(run).has(call.callee) ? run : undefined
  }

  /** None if the run has ended. */
  #appsOf(run: string): ReadonlySet<string> {
    const borrower = this.#borrowers.get(run)
    if (borrower === undefined) return new Set()
    if (performance.now() - borrower.askedAt > APPS_MS) {
      borrower.appIds = new Set(livingRuns(this.#options.env).find(({name}) => name === run)?.appIds)
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
      this.#options.reporter.warn(
        'call-not-brought-back',
        `"${caller}" calls "${callee}" without a traceparent: the call stays here, also if it belongs to one of "${run}", which has a "${callee}" of its own. Let "${caller}" pass the header traceparent on`
      )
    }
    return undefined
  }
}

/** The id of the trace that the caller has named (W3C Trace Context); undefined: none. */
function traceOf({sent}: Call): string | undefined {
  if (sent?.trace !== undefined) return TRACE_ID.exec(sent.trace)?.[1]
  const head = sent?.text === undefined ? (sent?.lines ?? '') : sent.text.slice(0, sent.size)
  return TRACE_ID.exec(/^traceparent:[ \t]*(.*)$/im.exec(head)?.[1] ?? '')?.[1]
}

const TRACE_ID = /^[0-9a-f]{2}-([0-9a-f]{32})-/
