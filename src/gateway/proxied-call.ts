import type {Hit} from '../faults/faults.ts'
import {messageOf, bugText} from '../model/errors.ts'
import type {Call, CallRecord, SentRequest} from '../model/call.ts'
import type {CallHandler} from '../net/call-handler.ts'
import {TOO_LARGE} from '../net/collector.ts'
import {pairsOf} from '../net/http1/header-lines.ts'
import type {HeaderRules, ResponseHead} from '../net/http1/response-head.ts'
import type {Failure} from '../net/http1/upstream.ts'
import type {Copy} from '../net/mirror.ts'
import {faultLine, type Reply} from '../net/reply.ts'
import type {PooledProcess} from '../net/pool.ts'
import {isHeld, type Admission, type Admitted, type Denied, type Held} from './admission.ts'
import type {AppPipeline} from './app-pipeline.ts'
import type {CallContext} from './call-context.ts'
import {brokenBy, delayOf, replyOf, RESET, type Delay} from './faulted-call.ts'
import {howEnded} from './how-ended.ts'
import {InterceptedRun} from './intercepted-run.ts'
import {verdictOfStatus, type Interceptor, type Outcome} from './interceptor.ts'
import {Refusals} from './refusals.ts'
import {RecordedCall} from './recorded-call.ts'
import type {Verdict} from './interceptors/resiliency/resilient-call.ts'

/**
 * One call through the gateway: asks for admission, waits in the queue if necessary, is sent, and ends exactly once.
 * Subclasses define headers and errors for the API that received it: Dapr's (`sidecar/`) or the Daeploy manager's (`daeploy/`).
 */
export abstract class ProxiedCall extends RecordedCall implements CallHandler {
  abstract readonly rules: HeaderRules
  abstract readonly copy: Copy | undefined
  protected admitted: Admitted | undefined
  readonly #length: number
  #held: Held | Delay | undefined
  /** A fault has hit the current attempt. */
  #hit: Hit | undefined
  #heldBytes = 0
  #refusals: Refusals | undefined
  #isOver = false
  /** The callee closed the connection under this call. */
  #isBroken = false
  /** Set if interceptors handle the call. */
  #run: InterceptedRun | undefined
  /** Interceptors have handled it. */
  #concluded: InterceptedRun | undefined

  /** `length`: bytes of the request's body, 0 = none, -1 = chunked. */
  constructor(context: CallContext, call: Call, request: SentRequest, length: number) {
    super(context, call, request)
    this.#length = length
  }

  /** Asks for admission, then sends the call. */
  start(): void {
    this.begun()
    const {interceptors} = this.context
    if (interceptors !== undefined && interceptors.length > 0 && this.isInterceptable) this.#intercept(interceptors)
    else this.#ask(false)
  }

  headersFor(head: ResponseHead): string {
    this.#isBroken = false
    const {fault} = this.call
    return fault === undefined ? this.responseHeaders(head) : this.responseHeaders(head) + faultLine(fault)
  }

  refused(why: string): void {
    const {admitted} = this
    const isLast = admitted === undefined || (this.#refusals ??= new Refusals()).isLast(admitted.pool)
    if (isLast) return this.#fail(why, 'refused')
    this.isFirstTurn = false
    this.#leave()
    this.#ask(true)
  }

  resent(): void {
    this.#isBroken = true
  }

  failed(why: string, failure?: Failure): void {
    this.#isBroken = why !== TOO_LARGE && failure !== 'bad-status'
    this.#fail(why, failure)
  }

  cut(why: string): void {
    this.#isBroken = true
    this.failure = why
    this.warnCut(why)
  }

  crashed(error: unknown): void {
    this.failure = messageOf(error)
    this.warn(bugText(error))
  }

  over(): void {
    this.#isOver = true
    this.#run?.cancel()
    this.#stopWaiting()
    this.#leave()
    this.record()
  }

  /** Not a tunnel, and the callee's id is valid. */
  protected abstract readonly isInterceptable: boolean
  protected abstract ask(isRefused: boolean): Admission | Held
  /** Sends the call to the callee. */
  protected abstract send(admitted: Admitted): void
  protected abstract responseHeaders(head: ResponseHead): string
  protected abstract replyDenied(denied: Denied): void
  /** The caller gets this response in place of the callee's. */
  protected abstract replyAs(reply: Reply): void
  /** There is no response: the callee was not reachable, or its response was invalid. */
  protected abstract replyFailed(why: string, failure: Failure | undefined): void
  protected abstract warnCut(why: string): void
  /** Writes to the log of the listener that received the call. */
  protected abstract warn(text: string): void

  protected verdictOf(status: number): Verdict {
    return verdictOfStatus(status)
  }

  protected get decisions(): CallRecord['decisions'] {
    return this.#concluded?.decisions
  }

  #intercept(interceptors: readonly Interceptor[]): void {
    const run = InterceptedRun.of(this.call, interceptors)
    if (run === undefined) return this.#ask(false)
    this.#run = run
    this.#concluded = run
    this.exchange.intercept(status => {
      this.attemptStatus = status
      run.settle({kind: 'response', verdict: this.verdictOf(status), discard: () => this.#discard()})
    })
    const ended = (outcome: Outcome, isLast: boolean): void => {
      if (!isLast) return void this.#conclude(run, outcome)
      this.#run = undefined
      this.#finish(outcome)
    }
    if (run.begin(() => this.exchange.whyOnce, ended)) this.#ask(false)
    else void this.#conclude(run)
  }

  /** `first`: the outcome of the first attempt, if it was made already. */
  async #conclude(run: InterceptedRun, first?: Outcome): Promise<void> {
    try {
      const outcome = await run.start(
        {
          attempt: () => {
            this.noteAttempt()
            this.isFirstTurn = false
            this.#leave()
            this.#refusals = undefined
            this.#ask(false)
          },
          stop: () => this.#discard(),
          whyOnce: () => this.exchange.whyOnce
        },
        first
      )
      this.#run = undefined
      if (!this.#isOver) this.#finish(outcome)
    } catch (error) {
      this.exchange.crash(error)
    }
  }

  #finish(outcome: Outcome): void {
    switch (outcome.kind) {
      case 'response':
        return this.exchange.accept()
      case 'replied':
        return this.replyAs(outcome.reply)
      case 'denied':
        return this.#deny(outcome.denied)
      case 'failed':
        return this.#fail(outcome.why, outcome.failure)
      case 'ended':
        return this.#deny({ok: false, status: 500, error: outcome.reason})
    }
  }

  /** Discards the current attempt, in whatever state it is. */
  #discard(): void {
    this.#stopWaiting()
    this.exchange.discard()
    this.#leave()
  }

  #ask(isRefused: boolean): void {
    const faults = this.context.faults?.active
    if (faults === undefined || isRefused) return this.#admit(isRefused)
    this.#hit = faults.hit(this.call)
    const delay = this.#hit && delayOf(this.#hit)
    if (delay === undefined) this.#suffer()
    else this.#wait(delay)
  }

  /** The delay of the fault is over, if there is one. */
  #suffer(): void {
    const hit = this.#hit
    if (hit?.kind === 'status') this.#replied(replyOf(hit))
    else if (hit?.kind === 'abort') this.#fail(RESET)
    else this.#admit(false)
  }

  #admit(isRefused: boolean): void {
    const admission = this.ask(isRefused)
    if (isHeld(admission)) this.#wait(admission)
    else this.#go(admission)
  }

  #wait(held: Held | Delay): void {
    this.isFirstTurn = false
    this.#held = held
    const bytes = this.context.heldBodies.hold(this.#length)
    if (bytes < 0) {
      held.cancel()
      this.#held = undefined
      return this.#deny({ok: false, status: 500, error: 'the bodies of queued calls exceed the limit'})
    }
    this.#heldBytes = bytes
    this.observer?.held(this.call, held.reason ?? '')
    if (held.isCounted !== true) this.#run?.pause()
    void this.#await(held)
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
      this.exchange.crash(error)
    }
  }

  #arrived(admission: Admission | undefined, held: Held | Delay): void {
    if (this.#isOver || this.#held !== held) {
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
    if (!admission.ok) return this.#deny(admission)
    if (this.#isOver) return admission.leave()
    this.admitted = admission
    this.noteAdmitted(admission)
    this.exchange.broken = this.#hit && brokenBy(this.#hit, this.call, admission.pid)
    if (admission.pipeline === undefined) this.send(admission)
    else void this.#filter(admission, admission.pipeline)
  }

  /** Lets the request through the middleware in front of the callee. */
  async #filter(admitted: Admitted, pipeline: AppPipeline): Promise<void> {
    try {
      const passed = await pipeline(this.call.path, pairsOf(this.request.lines))
      if (this.#isOver || this.admitted !== admitted) return
      if ('status' in passed) return this.#replied(passed)
      this.exchange.onPiece = passed.onPiece
      this.send({...admitted, path: passed.path})
    } catch (error) {
      this.exchange.crash(error)
    }
  }

  #replied(reply: Reply): void {
    if (this.#run === undefined) this.replyAs(reply)
    else this.#run.settle({kind: 'replied', reply})
  }

  #deny(denied: Denied): void {
    if (this.#run !== undefined) return this.#run.settle({kind: 'denied', denied})
    this.failure = denied.error
    this.replyDenied(denied)
  }

  #fail(why: string, failure?: Failure): void {
    if (this.#run !== undefined) return this.#run.settle({kind: 'failed', why, failure})
    this.failure = why
    if (why === RESET) return this.exchange.reset()
    const process = failure === 'silent' || failure === 'malformed' ? this.admitted?.pool.process : undefined
    if (process === undefined) this.replyFailed(why, failure)
    else void this.#explainEnd(process, why, failure)
  }

  /** The callee closed the connection: if its process has exited, the error says how. */
  async #explainEnd(process: PooledProcess, why: string, failure: Failure | undefined): Promise<void> {
    const how = await howEnded(process)
    if (this.#isOver) return
    try {
      this.failure = how === '' ? why : `${why} (${how})`
      this.replyFailed(this.failure, failure)
    } catch (error) {
      this.exchange.crash(error)
    }
  }

  #leave(): void {
    const {admitted} = this
    this.admitted = undefined
    admitted?.leave(this.#isBroken)
    this.#isBroken = false
  }

  /** Leaves the queue. */
  #stopWaiting(): void {
    this.#held?.cancel()
    this.#held = undefined
    this.context.heldBodies.release(this.#heldBytes)
    this.#heldBytes = 0
  }
}
