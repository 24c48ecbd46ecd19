import type {FrameClients, Waiter, FrameClient} from '#h2-frames'
import {messageOf} from '../../model/errors.ts'
import {isHeld, type Admission, type Admitted, type Denied, type Held} from '../../gateway/admission.ts'
import {brokenBy, delayOf, RESET, type Delay} from '../../gateway/faulted-call.ts'
import {grpcStatusOf} from '../../gateway/faulted-grpc-call.ts'
import {Refusals} from '../../gateway/refusals.ts'
import type {Hit} from '../../faults/faults.ts'
import type {BrokenResponse} from '../../net/broken-response.ts'
import {INTERNAL, UNAVAILABLE, type GrpcStatus} from '../../net/grpc/status.ts'
import {clientsOf} from '../../net/grpc/clients-of.ts'
import type {Pool} from '../../net/pool.ts'
import type {PolicedAnswer} from './policed-answer.ts'
import {RecordedGrpcCall} from './recorded-grpc-call.ts'

/** The status for a stream that is reset before or within the answer. */
export const RESET_CALL: GrpcStatus = {code: UNAVAILABLE, message: RESET}
export const CUT_CALL: GrpcStatus = {code: INTERNAL, message: 'cut by a fault'}

/** A gRPC call until it has a connection: it asks for admission, waits in the queue if necessary, and waits for a free stream. */
export abstract class QueuedGrpcCall extends RecordedGrpcCall implements Waiter {
  protected admitted: Admitted | undefined
  protected isOver = false
  /** The callee has closed the connection under the call. */
  protected isBroken = false
  /** Set while policies decide about the call. */
  protected policed: PolicedAnswer | undefined
  /** How the answer of the current attempt breaks off; undefined: it does not. */
  protected broken: BrokenResponse | undefined
  #clients: FrameClients | undefined
  #held: Held | Delay | undefined
  /** A fault has hit the current attempt. */
  #hit: Hit | undefined
  #refusals: Refusals | undefined

  abstract opened(connection: FrameClient): void
  /** No connection could be opened. */
  protected abstract unreachable(why: string): void
  protected abstract denied(denied: Denied): void
  /** The current attempt has failed. */
  protected abstract failAttempt(end: GrpcStatus): void
  protected abstract crash(error: unknown): void

  /** The connection was refused: asks for admission again, since the queue knows when the app will listen. */
  failed(why: string, isRefused: boolean): void {
    const {admitted} = this
    const isLast = admitted === undefined || !isRefused || (this.#refusals ??= new Refusals()).isLast(poolOf(admitted))
    if (isLast) return this.unreachable(why)
    this.leave()
    this.#ask(true)
  }

  /** Asks for admission, for the first attempt or another one. */
  protected ask(): void {
    this.#refusals = undefined
    this.broken = undefined
    const faults = this.sidecar.faults?.active
    if (faults === undefined) return this.#ask(false)
    this.#hit = faults.hit(this.call)
    const delay = this.#hit && delayOf(this.#hit)
    if (delay === undefined) this.#suffer()
    else this.#wait(delay)
  }

  /** Leaves the callee, or the queue in front of it. */
  protected leave(): void {
    this.#held?.cancel()
    this.#held = undefined
    const {admitted} = this
    this.admitted = undefined
    this.#clients?.leave(this)
    this.#clients = undefined
    admitted?.leave(this.isBroken)
    this.isBroken = false
  }

  /** Whether the rest of the answer is dropped. */
  protected lacksAnswer(broken: BrokenResponse): boolean {
    if (broken.left >= 0) return broken.isOver
    this.isBroken = true
    this.unreachable('error reading from server: EOF')
    return true
  }

  /** What was passed on is written first. */
  protected breakSoon(broken: BrokenResponse): void {
    broken.isOver = true
    setImmediate(() => {
      if (this.broken === broken) this.failAttempt(CUT_CALL)
    })
  }

  /** The delay of the fault is over, if there is one. */
  #suffer(): void {
    const hit = this.#hit
    if (hit?.kind === 'status') this.failAttempt(grpcStatusOf(hit))
    else if (hit?.kind === 'abort') this.failAttempt(RESET_CALL)
    else this.#ask(false)
  }

  #ask(isRefused: boolean): void {
    const answer = this.sidecar.admit(this.call, isRefused)
    if (isHeld(answer)) this.#wait(answer)
    else this.#go(answer)
  }

  #wait(held: Held | Delay): void {
    this.#held = held
    this.sidecar.observer?.held(this.call, held.reason ?? '')
    if (held.isCounted !== true) this.policed?.run.pause()
    void this.#await(held)
  }

  async #await(held: Held | Delay): Promise<void> {
    let answer: Admission | undefined
    try {
      answer = await held.admitted
    } catch (error) {
      answer = {ok: false, status: 500, error: messageOf(error)}
    }
    try {
      this.#arrived(answer, held)
    } catch (error) {
      this.crash(error)
    }
  }

  #arrived(answer: Admission | undefined, held: Held | Delay): void {
    if (this.isOver || this.#held !== held) {
      if (answer?.ok === true) answer.leave()
      return
    }
    this.policed?.run.resume()
    this.#held = undefined
    if (answer === undefined) this.#suffer()
    else this.#go(answer)
  }

  #go(answer: Admission): void {
    if (!answer.ok) return this.denied(answer)
    this.admitted = answer
    this.noteAdmitted(answer)
    this.broken = this.#hit && brokenBy(this.#hit, this.call, answer.pid)
    this.#clients = clientsOf(poolOf(answer), this.sidecar.warn)
    this.#clients.take(this)
  }
}

const poolOf = ({grpcPool, pool}: Admitted): Pool => grpcPool ?? pool
