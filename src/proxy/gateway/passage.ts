import type {Delay, Hit} from '../faults/hit.ts'
import type {Call, SentRequest} from '../../model/call.ts'
import type {Protocol} from '../../model/call-protocol.ts'
import {messageOf} from '../../model/errors.ts'
import type {BrokenResponse} from '../net/broken-response.ts'
import {CallJournal} from '../net/call-journal.ts'
import type {Pool} from '../net/pool.ts'
import {type AppPipeline, isHeld, type Admission, type Admitted, type Denied, type Held} from './admission.ts'
import type {CallContext} from './call-context.ts'
import {brokenBy} from './faulted-call.ts'
import {HELD_TOO_MUCH} from './held-bodies.ts'
import {howEnded} from './how-ended.ts'
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
  /** Sends it through the middleware of the callee first; left out: the protocol passes none. */
  filter?(admitted: Admitted, pipeline: AppPipeline): void
  /** The callee does not admit it: settles with that. */
  denied(denied: Denied): void
  /** A fault ends it with a status, or a reset, before it is sent: settles with that. */
  struck(hit: Hit): void
  /** Another attempt follows the last one, which has been discarded. This and the next two are left out where no policy applies. */
  restart?(): void
  /** Drops the current attempt: its connection, its response. */
  drop(): void
  /** The last attempt has ended: passes on its outcome. */
  conclude?(outcome: CallOutcome): void
  /** Why it cannot be sent again; '' = it can. */
  whyOnce?(): string
  /** A bug of ours: ends this call, and nothing else. */
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
 * The way of every call to its callee, over any protocol: the policies around its attempts; for each attempt the fault that hits it,
 * its wait in the queue, its permit, and the count of refused connections. A passage makes the record of its call, and ends exactly once, by `over`.
 */
export class Passage {
  /** The admission of the current attempt; undefined: none yet. */
  admitted: Admitted | undefined
  /** The callee has closed the connection under the call. */
  isBroken = false
  isOver = false
  /** How the response of the current attempt breaks off; undefined: it does not. */
  broken: BrokenResponse | undefined
  readonly #passenger: Passenger
  readonly #context: PassageContext
  readonly journal: CallJournal
  #length: number // of its kept body while it waits
  #held: Held | Delay | undefined
  #heldBytes = 0
  /** A fault has hit the current attempt. */
  #hit: Hit | undefined
  /**
   * How often the processes that the current attempt was sent to have refused it. That their queues held it in between does not count: the
   * probe that opens a queue connects as well, so it succeeds where a process accepts and then closes. A new process has a new pool.
   */
  #refusals: Map<Pool, number> | undefined
  /** Set while policies decide about the call. */
  #run: InterceptedRun | undefined
  /** The policies that decide about it. */
  #policies: InterceptedRun | undefined

  /** `of`: a record instead, if the call has begun before. `length`: bytes of the body that are kept. */
  constructor(passenger: Passenger, context: PassageContext, of: Travelling | CallJournal, length = 0) {
    this.#passenger = passenger
    this.#context = context
    this.journal =
      of instanceof CallJournal ? of : new CallJournal(of.call, of.request, context.observer, context.recorded)
    this.#length = length
  }

  /** The policies around the call; undefined: none apply. To be asked for before `start`. */
  under(call: Call, interceptor: Interceptor | undefined): InterceptedRun | undefined {
    if (interceptor === undefined) return undefined
    return (this.#policies = this.#run = InterceptedRun.of(call, interceptor))
  }

  /** Policies decide whether an attempt that has ended is the last one. */
  get isPoliced(): boolean {
    return this.#run !== undefined
  }

  /** Makes the first attempt. */
  start(): void {
    const run = this.#run
    if (run !== undefined && !this.#begins(run)) return void this.#conclude(run)
    this.#meet()
  }

  /** The current attempt has ended. Policies may discard its outcome and make another one. */
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

  /** Counts a piece of its body that is kept until there is a connection. Returns false without room for it. */
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

  /** Discards the current attempt, in whatever state it is. */
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
        {
          attempt: () => this.#again(),
          stop: () => this.discard(),
          whyOnce: () => this.#passenger.whyOnce?.() ?? ''
        },
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

  /** The delay of the fault is over, if there is one. */
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
