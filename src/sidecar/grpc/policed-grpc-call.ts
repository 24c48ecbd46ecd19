import type {Denied} from '../../gateway/admission.ts'
import {howEnded} from '../../gateway/how-ended.ts'
import type {InterceptedRun} from '../../gateway/intercepted-run.ts'
import type {Verdict} from '../../gateway/interceptors/resiliency/resilient-call.ts'
import type {CallRecord} from '../../model/call.ts'
import {EXCEEDED, type GrpcStatus} from '../../net/grpc/status.ts'
import type {PooledProcess} from '../../net/pool.ts'
import {PolicedAnswer, statusOfPolicy} from './policed-answer.ts'
import {QueuedGrpcCall} from './queued-grpc-call.ts'

/** A gRPC call with the policies around it: they decide whether an attempt that has ended is the last one. */
export abstract class PolicedGrpcCall extends QueuedGrpcCall {
  #run: InterceptedRun | undefined
  /** How the current attempt has ended; undefined: a policy ends it. */
  #attemptEnd: GrpcStatus | undefined

  /** The status for a callee that does not admit the call. */
  protected abstract deniedStatus(denied: Denied): GrpcStatus
  /** What a status code of the callee means for policies. */
  protected abstract verdictOf(code: number): Verdict
  /** Ends the call with a status of the sidecar. */
  protected abstract fail(end: GrpcStatus): void
  /** Another attempt begins. */
  protected abstract restarted(): void
  /** Resets the stream to the callee, if there is one. */
  protected abstract dropCallee(): void

  protected get decisions(): CallRecord['decisions'] {
    return this.#run?.decisions
  }

  /** Starts the first attempt, under the policies for this call if there are any. */
  protected begin(): void {
    const {interceptors} = this.sidecar
    if (interceptors !== undefined && interceptors.length > 0)
      this.policed = PolicedAnswer.of(this.call, interceptors, {
        isStream: () => this.isMarkedStream,
        maxBytes: this.sidecar.maxBodyBytes
      })
    if (this.policed === undefined) return this.ask()
    this.#run = this.policed.run
    void this.#conclude(this.policed)
  }

  /** The current attempt has ended with `end`. `accept` is called if it is the last one. */
  protected settle(policed: PolicedAnswer, end: GrpcStatus, accept: () => void): void {
    this.#attemptEnd = end
    policed.settle(this.verdictOf(end.code), accept, () => this.#discard())
  }

  /** The callee has failed. Policies may retry the call. */
  protected failAttempt(end: GrpcStatus): void {
    this.#endAttempt(end, undefined)
  }

  /** The connection to the callee is gone, maybe with its process: then the status says how that ended. Policies may retry the call. */
  protected loseCallee(end: GrpcStatus): void {
    this.#endAttempt(end, this.admitted?.pool.process)
  }

  protected denied(denied: Denied): void {
    const end = this.deniedStatus(denied)
    const {status: code, isUnknown} = denied
    if (this.policed === undefined) return this.fail(end)
    const verdict = code === 403 ? 'excluded' : isUnknown === true ? 'failed' : this.verdictOf(end.code)
    this.policed.settle(
      verdict,
      () => this.fail(end),
      () => undefined
    )
  }

  /** Policies apply only until a stream is open: what follows is passed on unchecked. */
  protected release(policed: PolicedAnswer): void {
    this.policed = undefined
    policed.settle(
      'success',
      () => undefined,
      () => undefined
    )
  }

  #endAttempt(end: GrpcStatus, process: PooledProcess | undefined): void {
    if (this.isOver) return
    const tell = (): void => {
      if (process === undefined) this.fail(end)
      else void this.#explain(process, end)
    }
    if (this.policed === undefined) tell()
    else this.settle(this.policed, end, tell)
  }

  async #explain(process: PooledProcess, {code, message}: GrpcStatus): Promise<void> {
    const how = await howEnded(process)
    this.fail({code, message: how === '' ? message : `${message} (${how})`})
  }

  async #conclude(policed: PolicedAnswer): Promise<void> {
    try {
      const outcome = await policed.run.start({
        attempt: () => this.#attempt(),
        stop: () => this.#discard(),
        whyOnce: () => policed.whyOnce
      })
      const isReleased = this.policed !== policed
      this.policed = undefined
      policed.kept?.release()
      if (this.isOver || isReleased) return
      if (outcome.kind === 'ended') this.fail(statusOfPolicy(outcome.reason))
      else policed.accept()
    } catch (error) {
      this.crash(error)
    }
  }

  #attempt(): void {
    this.noteAttempt(this.#attemptEnd ?? EXCEEDED)
    this.#attemptEnd = undefined
    this.leave()
    this.policed?.begin()
    this.restarted()
    this.ask()
  }

  /** Ends the current attempt, in whatever state it is. */
  #discard(): void {
    this.dropCallee()
    this.leave()
  }
}
