import type {Delay, Hit} from '../faults/hit.ts'
import type {Call, SentRequest} from '../../model/call.ts'
import type {Protocol} from '../../model/call-protocol.ts'
import {messageOf} from '../../model/errors.ts'
import type {BrokenResponse} from '../net/broken-response.ts'
import {CallJournal} from '../net/call-journal.ts'
import {type Pool, howEnded} from '../net/pool.ts'
import {type AppPipeline, isHeld, type Admission, type Admitted, type Denied, type Held} from './admission.ts'
import type {CallContext} from './call-context.ts'
import {brokenBy} from './faulted-call.ts'
import {HELD_TOO_MUCH} from './held-bodies.ts'
import {InterceptedRun} from './intercepted-run.ts'
import type {Interceptor, CallOutcome} from './interceptor.ts'

/** A call, as its passage needs it: the parts that differ between protocols. */
export interface Passenger {
  /** Asks the callee's queue. `isRefused`: the callee has refused a connection just now, so the call must be queued. */
  ask(isRefused: boolean): Admission | Held
  /** Protocol by which the callee is called. */
  protocolAt(pool: Pool): Protocol
  /** Sends it to the callee that has admitted it. */
  send(admitted: Admitted): void
  /** Sends the request through the callee's middleware first. Omitted if the protocol has none. */
  filter?(admitted: Admitted, pipeline: AppPipeline): void
  /** Called if the callee denies the call. Settles the passage. */
  denied(denied: Denied): void
  /** Called if a fault ends the call with a status or a reset before it is sent. Settles the passage. */
  struck(hit: Hit): void
  /** Called when another attempt follows the discarded one. Omitted, like the next two, if no policy applies. */
  restart?(): void
  /** Discards the current attempt with its connection and response. */
  drop(): void
  /** Called after the last attempt. Passes on its outcome. */
  conclude?(outcome: CallOutcome): void
  /** Returns why the request cannot be sent again; '' = it can. */
  whyOnce?(): string
  /** Handles a bug of ours, which ends only this call. */
  crash(error: unknown): void
}

/** Number of connections that one process may refuse, although its queue admits the call each time, before the call fails. */
const MAX_REFUSALS = 3

type PassageContext = Partial<Pick<CallContext, 'faults' | 'heldBodies' | 'observer' | 'recorded'>>

/** The call of a passage, and its request as the caller sent it. */
interface Travelling {
  readonly call: Call
  readonly request: SentRequest
}

/**
 * The passage of a call to its callee, over any protocol: the policies around its attempts, and for each attempt its fault, its wait in
 * the queue, its permit, and the count of refused connections. A passage makes the call's record, and ends exactly once, by `over`.
 */
export class Passage {
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
  #length: number // bytes of the body that are kept while the call waits
  #held: Held | Delay | undefined
  #heldBytes = 0
  /** A fault has hit the current attempt. */
  #hit: Hit | undefined
  /**
   * How often each process has refused the current attempt, by its pool: a new process has a new pool. Waiting in the queue in between
   * does not reset the count, since the queue's probe succeeds at a process that accepts and then closes.
   */
  #refusals: Map<Pool, number> | undefined
  /** The policies that decide about the call. Undefined once its outcome is final. */
  #run: InterceptedRun | undefined
  /** The same policies, kept after that for the record of the call. */
  #policies: InterceptedRun | undefined

  /** `of`: a call, or the record of a call that has begun. `length`: bytes of the body that are kept. */
  constructor(passenger: Passenger, context: PassageContext, of: Travelling | CallJournal, length = 0) {
    this.#passenger = passenger
    this.#context = context
    this.journal =
      of instanceof CallJournal ? of : new CallJournal(of.call, of.request, context.observer, context.recorded)
    this.#length = length
  }

  /** Returns the policies around the call, if any apply. Must be called before `start`. */
  under(call: Call, interceptor: Interceptor | undefined): InterceptedRun | undefined {
    if (interceptor === undefined) return undefined
    return (this.#policies = this.#run = InterceptedRun.of(call, interceptor))
  }

  /** Whether policies decide if an ended attempt is the last. */
  get isPoliced(): boolean {
    return this.#run !== undefined
  }

  /** Makes the first attempt. */
  start(): void {
    const run = this.#run
    if (run !== undefined && !this.#begins(run)) return void this.#conclude(run)
    this.#meet()
  }

  /** Ends the current attempt. Policies may discard its outcome and make another. */
  settle(outcome: CallOutcome): void {
    if (this.#run === undefined) this.#passenger.conclude?.(outcome)
    else this.#run.settle(outcome)
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
    return this.#held === undefined || this.#reserve(bytes)
  }

  /** Policies leave the call alone from now on. */
  release(): void {
    const run = this.#run
    this.#run = undefined
    run?.settle({kind: 'response', verdict: 'success', discard: () => undefined})
  }

  /** Discards the current attempt in any state. */
  discard(): void {
    this.#stopWaiting()
    this.#passenger.drop()
    this.leave()
  }

  /** Leaves the callee. */
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
    this.#run?.cancel()
    this.#stopWaiting()
    this.leave()
    if (this.#policies !== undefined) this.journal.decisions = this.#policies.decisions
    this.journal.ended()
  }

  /** `first`: the outcome of the first attempt, if it was made already. */
  async #conclude(run: InterceptedRun, first?: CallOutcome): Promise<void> {
    try {
      const outcome = await run.start(
        {attempt: () => this.#again(), stop: () => this.discard(), whyOnce: () => this.#passenger.whyOnce?.() ?? ''},
        first
      )
      this.#concluded(run, outcome)
    } catch (error) {
      this.#passenger.crash(error)
    }
  }

  #concluded(run: InterceptedRun, outcome: CallOutcome): void {
    const isReleased = this.#run !== run
    this.#run = undefined
    if (!this.isOver && !isReleased) this.#passenger.conclude?.(outcome)
  }

  /** The first attempt may be made at once: policies look at it when it has ended. */
  #begins(run: InterceptedRun): boolean {
    return run.begin(
      () => this.#passenger.whyOnce?.() ?? '',
      (outcome, isLast) => {
        if (isLast) this.#concluded(run, outcome)
        else void this.#conclude(run, outcome)
      }
    )
  }

  #again(): void {
    this.#passenger.restart?.()
    this.leave()
    this.#refusals = undefined
    this.broken = undefined
    this.#hit = undefined
    this.#meet()
  }

  /** A fault may hit this attempt. */
  #meet(): void {
    const hit = (this.#hit = this.#context.faults?.active?.hit(this.journal.call))
    if (hit === undefined) return this.#admit(false)
    const delay = hit.delay()
    if (delay === undefined) this.#suffer()
    else this.#wait(delay)
  }

  /** Called when the fault's delay is over, or at once without one. */
  #suffer(): void {
    const hit = this.#hit
    if (hit?.kind === 'status' || hit?.kind === 'abort') this.#passenger.struck(hit)
    else this.#admit(false)
  }

  #admit(isRefused: boolean): void {
    const admission = this.#passenger.ask(isRefused)
    if (isHeld(admission)) this.#wait(admission)
    else this.#go(admission)
  }

  #wait(held: Held | Delay): void {
    this.#held = held
    if (!this.#reserve(this.#length)) {
      this.#stopWaiting()
      return this.#passenger.denied({ok: false, status: 500, error: HELD_TOO_MUCH})
    }
    this.journal.held(held.reason)
    const count = (isCounted: boolean): void => {
      if (this.#held !== held) return
      if (isCounted) this.#run?.resume()
      else this.#run?.pause()
    }
    count(held.isCounted === true)
    if ('onCounted' in held) held.onCounted?.(count)
    void this.#await(held)
  }

  #reserve(bytes: number): boolean {
    if (this.#context.heldBodies?.hold(bytes) === false) return false
    this.#heldBytes += bytes
    return true
  }

  async #await(held: Held | Delay): Promise<void> {
    let admission: Admission | undefined
    try {
      admission = await held.admitted
    } catch (error) {
      admission = {ok: false, status: 500, error: messageOf(error)}
    }
    try {
      this.#arrived(admission, held)
    } catch (error) {
      this.#passenger.crash(error)
    }
  }

  #arrived(admission: Admission | undefined, held: Held | Delay): void {
    if (this.isOver || this.#held !== held) {
      if (admission?.ok === true) admission.leave()
      return
    }
    this.#run?.resume()
    this.#held = undefined
    this.#stopWaiting()
    if (admission === undefined) this.#suffer()
    else this.#go(admission)
  }

  #go(admission: Admission): void {
    if (!admission.ok) return this.#passenger.denied(admission)
    if (this.isOver) return admission.leave()
    this.admitted = admission
    const {isLocal, pid = 0, pool, recorded} = admission
    this.journal.admitted(isLocal, {pid, protocol: this.#passenger.protocolAt(pool)}, recorded)
    this.broken = this.#hit && brokenBy(this.#hit, this.journal.call, admission.pid)
    if (admission.pipeline === undefined || this.#passenger.filter === undefined) this.#passenger.send(admission)
    else this.#passenger.filter(admission, admission.pipeline)
  }

  /** Leaves the queue. */
  #stopWaiting(): void {
    this.#held?.cancel()
    this.#held = undefined
    this.#context.heldBodies?.release(this.#heldBytes)
    this.#heldBytes = 0
  }
}
