import {messageOf} from '../../model/errors.ts'
import {isHeld, type Admission, type Admitted, type Denied, type Held} from '../../gateway/admission.ts'
import {clientsOf} from '../../net/grpc/clients-of.ts'
import type {FrameClients, Waiter} from '../../net/http2/frame-clients.ts'
import type {FrameClient} from '../../net/http2/frame-client.ts'
import type {PolicedAnswer} from './policed-answer.ts'
import {RecordedGrpcCall} from './recorded-grpc-call.ts'

/** Refusals in a row from a queue that lets through at once: then it is no queue. */
const MAX_REFUSALS = 3

/** A call of gRPC on its way to a connection: it asks to be admitted, waits if it must, and waits for room on a connection. */
export abstract class QueuedGrpcCall extends RecordedGrpcCall implements Waiter {
  protected admitted: Admitted | undefined
  protected isOver = false
  /** The callee has closed the connection under the call. */
  protected isBroken = false
  /** Set while policies decide what becomes of the call. */
  protected policed: PolicedAnswer | undefined
  #clients: FrameClients | undefined
  #held: Held | undefined
  #refusals = 0

  abstract opened(connection: FrameClient): void
  /** There is no connection. */
  protected abstract unreachable(why: string): void
  protected abstract denied(denied: Denied): void
  protected abstract crash(error: unknown): void

  /** Nobody listens: unless that goes on, the queue knows when somebody will. */
  failed(why: string, isRefused: boolean): void {
    const isStubborn = this.#held === undefined && ++this.#refusals >= MAX_REFUSALS
    if (!isRefused || isStubborn) return this.unreachable(why)
    this.leave()
    this.#ask(true)
  }

  /** Asks to be admitted, for a first time or for a further attempt. */
  protected ask(): void {
    this.#refusals = 0
    this.#ask(false)
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

  #ask(isRefused: boolean): void {
    const answer = this.sidecar.admit(this.call, isRefused)
    if (!isHeld(answer)) return this.#go(answer)
    this.#held = answer
    if (answer.isCounted !== true) this.policed?.run.pause()
    void this.#await(answer)
  }

  async #await(held: Held): Promise<void> {
    let answer: Admission
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

  #arrived(answer: Admission, held: Held): void {
    if (this.isOver || this.#held !== held) {
      if (answer.ok) answer.leave()
      return
    }
    this.policed?.run.resume()
    this.#held = undefined
    this.#refusals = 0
    this.#go(answer)
  }

  #go(answer: Admission): void {
    if (!answer.ok) return this.denied(answer)
    this.admitted = answer
    this.noteAdmitted(answer)
    this.#clients = clientsOf(answer.grpcPool ?? answer.pool, this.sidecar.warn)
    this.#clients.take(this)
  }
}
