import type {Call, SentRequest} from '../../model/call.ts'
import type {Delay, Hit} from '../faults/hit.ts'
import type {BrokenResponse} from '../net/broken-response.ts'
import {CallJournal} from '../net/call-journal.ts'
import {type Pool, howEnded} from '../net/pool.ts'
import {isHeld, type Admission, type Admitted, type Held} from './admission.ts'
import type {CallContext} from './call-context.ts'
import {brokenBy} from './faulted-call.ts'
import {HELD_TOO_MUCH} from './held-bodies.ts'
import {InterceptedRun, type InterceptedCall} from './intercepted-run.ts'
import type {Interceptor, CallOutcome} from './interceptor.ts'
import {PassageWait, type WaitEnd} from './passage-wait.ts'
import type {Passenger} from './passenger.ts'

/** Number of connections that one process may refuse, although its queue admits the call each time, before the call fails. */
const MAX_REFUSALS = 3

type PassageContext = Partial<Pick<CallContext, 'faults' | 'heldBodies' | 'observer' | 'recorded'>>

/** The call of a passage, and its request as the caller sent it. */
interface CallAndRequest {
  readonly call: Call
  readonly request: SentRequest
}

/**
 * The passage of a call to its callee, over any protocol: the policies around its attempts, and for each attempt its fault, its wait in
 * the queue, its permit, and the count of refused connections. A passage makes the call's record, and ends exactly once, by `over`.
 */
export class Passage implements InterceptedCall {
  /** Admission of the current attempt; undefined before it. */
  admitted: Admitted | undefined
  /** The callee has closed the connection under the call. */
  isBroken = false
  isOver = false
  /** How the response of the current attempt breaks off; undefined: it does not. */
  broken: BrokenResponse | undefined
  readonly #passenger: Passenger
  readonly #context: PassageContext
  readonly journal: CallJournal
  /** Bytes of the body that are kept while the call waits. */
  #length: number
  /** The current wait; undefined: the call does not wait. */
  #wait: PassageWait | undefined
  /** A fault has hit the current attempt. */
  #hit: Hit | undefined
  /**
   * How often each process has refused the current attempt, by its pool: a new process has a new pool. Waiting in the queue in between
   * does not reset the count, since the queue's probe succeeds at a process that accepts and then closes.
   */
  #refusals: Map<Pool, number> | undefined
  /** The policies around the call; undefined: none apply. */
  #policies: InterceptedRun | undefined
  /** Whether the policies no longer decide about the call. */
  #arePoliciesReleased = false

  /** `source`: a call, or the record of a call that has begun. `length`: bytes of the body that are kept. */
  constructor(passenger: Passenger, context: PassageContext, source: CallAndRequest | CallJournal, length = 0) {
    this.#passenger = passenger
    this.#context = context
    this.journal =
      source instanceof CallJournal
        ? source
        : new CallJournal(source.call, source.request, context.observer, context.recorded)
    this.#length = length
  }

  /** Returns the policies around the call, if any apply. Must be called before `start`. */
  under(call: Call, interceptor: Interceptor | undefined): InterceptedRun | undefined {
    if (interceptor === undefined) return undefined
    return (this.#policies = InterceptedRun.of(call, interceptor))
  }

  /** Whether policies decide if an ended attempt is the last. */
  get isPoliced(): boolean {
    return this.#decidingPolicies !== undefined
  }

  get #decidingPolicies(): InterceptedRun | undefined {
    return this.#arePoliciesReleased ? undefined : this.#policies
  }

  /** Makes the first attempt. */
  start(): void {
    const policies = this.#policies
    if (policies === undefined) this.makeAttempt()
    else policies.start(this)
  }

  /** Makes an attempt. A fault may hit it. */
  makeAttempt(): void {
    const hit = (this.#hit = this.#context.faults?.active?.hit(this.journal.call))
    if (hit === undefined) return this.#admit(false)
    const delay = hit.delay()
    if (delay === undefined) this.#applyFault()
    else this.#waitFor(delay)
  }

  /** Makes a further attempt, after the previous one was discarded. */
  makeAnotherAttempt(): void {
    this.#passenger.restart?.()
    this.leave()
    this.#refusals = undefined
    this.broken = undefined
    this.#hit = undefined
    this.makeAttempt()
  }

  /** Returns why the request cannot be sent again; '': it can. */
  whyNotAgain(): string {
    return this.#passenger.whyNotAgain?.() ?? ''
  }

  /** Passes on the outcome for which the policies have decided, unless they were released or the call is over. */
  concluded(outcome: CallOutcome): void {
    const wasReleased = this.#arePoliciesReleased
    this.#arePoliciesReleased = true
    if (!this.isOver && !wasReleased) this.#passenger.conclude?.(outcome)
  }

  crash(error: unknown): void {
    this.#passenger.crash(error)
  }

  /** Ends the current attempt. Policies may discard its outcome and make another. */
  settle(outcome: CallOutcome): void {
    const policies = this.#decidingPolicies
    if (policies === undefined) this.#passenger.conclude?.(outcome)
    else policies.settle(outcome)
  }

  /** Called when the connection was refused: asks again, since the queue knows when the callee will listen. Returns false after too many refusals. */
  refused(): boolean {
    const {admitted} = this
    if (admitted === undefined) return false
    const {pool, grpcPool = pool} = admitted
    this.#refusals ??= new Map()
    const count = (this.#refusals.get(grpcPool) ?? 0) + 1
    this.#refusals.set(grpcPool, count)
    if (count >= MAX_REFUSALS) return false
    this.journal.isFirstTurn = false
    this.isBroken = false
    this.leave()
    this.#admit(!grpcPool.isRetired) // a process that has been replaced says nothing of the next one
    return true
  }

  /** Counts a piece of the body that is kept until there is a connection. Returns false without room. */
  hold(bytes: number): boolean {
    this.#length += bytes
    return this.#wait === undefined || this.#wait.reserve(bytes)
  }

  /** Policies leave the call alone from now on. */
  release(): void {
    const policies = this.#decidingPolicies
    this.#arePoliciesReleased = true
    policies?.settle({kind: 'response', verdict: 'success', discard: () => undefined})
  }

  /** Discards the current attempt in any state. */
  discard(): void {
    this.#stopWaiting()
    this.#passenger.drop()
    this.leave()
  }

  leave(): void {
    const {admitted} = this
    this.admitted = undefined
    admitted?.leave(this.isBroken)
    this.isBroken = false
  }

  /** Passes on why the callee was lost, with the end of its process if that has ended, unless the call is over by then. */
  explain(why: string, pass: (explained: string) => void): void {
    const process = this.admitted?.pool.process
    if (process === undefined) return pass(why)
    howEnded(process)
      .then(how => this.isOver || pass(how === '' ? why : `${why} (${how})`))
      .catch((error: unknown) => this.#passenger.crash(error))
  }

  /** The call has ended. */
  over(): void {
    this.isOver = true
    this.#decidingPolicies?.cancel()
    this.#stopWaiting()
    this.leave()
    if (this.#policies !== undefined) this.journal.decisions = this.#policies.interception.decisions
    this.journal.ended()
  }

  /** Called when the fault's delay is over, or at once without one. */
  #applyFault(): void {
    const hit = this.#hit
    if (hit?.kind === 'status' || hit?.kind === 'abort') this.#passenger.endByFault(hit)
    else this.#admit(false)
  }

  #admit(isRefused: boolean): void {
    const admission = this.#passenger.ask(isRefused)
    if (isHeld(admission)) this.#waitFor(admission)
    else this.#proceed(admission)
  }

  #waitFor(held: Held | Delay): void {
    const wait = (this.#wait = new PassageWait(held, this.#context.heldBodies))
    if (!wait.reserve(this.#length)) {
      this.#stopWaiting()
      return this.#passenger.denied({ok: false, status: 500, error: HELD_TOO_MUCH})
    }
    this.journal.held(wait.reason)
    wait.onCounted(isCounted => {
      if (isCounted) this.#decidingPolicies?.resume()
      else this.#decidingPolicies?.pause()
    })
    void this.#continueAfter(wait)
  }

  async #continueAfter(wait: PassageWait): Promise<void> {
    const end = await wait.ended()
    try {
      this.#continue(wait, end)
    } catch (error) {
      this.#passenger.crash(error)
    }
  }

  /** Continues after a wait, unless the call is over or waits for something else by now. */
  #continue(wait: PassageWait, end: WaitEnd): void {
    if (this.isOver || this.#wait !== wait) {
      if (end.kind === 'decided' && end.admission.ok) end.admission.leave()
      return
    }
    this.#decidingPolicies?.resume()
    this.#wait = undefined
    wait.release()
    if (end.kind === 'delayed') this.#applyFault()
    else this.#proceed(end.admission)
  }

  #proceed(admission: Admission): void {
    if (!admission.ok) return this.#passenger.denied(admission)
    if (this.isOver) return admission.leave()
    this.admitted = admission
    const {isLocal, pid = 0, pool, recorded} = admission
    this.journal.admitted(isLocal, {pid, protocol: this.#passenger.protocolAt(pool)}, recorded)
    this.broken = this.#hit && brokenBy(this.#hit, this.journal.call, admission.pid)
    if (admission.pipeline === undefined || this.#passenger.filter === undefined) this.#passenger.send(admission)
    else this.#passenger.filter(admission, admission.pipeline)
  }

  #stopWaiting(): void {
    this.#wait?.cancel()
    this.#wait = undefined
  }
}
