import {kept} from '#h2-frames'
import {KeptBody} from '../request-body.ts'
import {latin1, MessageGauge} from './message-gauge.ts'
import {FAILED_PRECONDITION, type GrpcStatus} from './status.ts'

/** Status of a call with retries that sends a second message: retries keep one message only (Dapr: pkg/api/grpc/proxy, errRetryOnStreamingRPC). */
export const NO_STREAMS: GrpcStatus = {
  code: FAILED_PRECONDITION,
  message: 'cannot use resiliency policies with retries on streaming RPCs'
}

const NOTHING: readonly string[] = []

/** Maximum size of a body that is kept without retry policies, for a connection that breaks before a response. */
const MAX_HELD_BYTES = 65_536

/** Returns a kept body with another piece; undefined: too large to be kept. */
export const heldWith = (held: string | undefined, piece: string | Buffer): string | undefined =>
  held === undefined || held.length + piece.length > MAX_HELD_BYTES ? undefined : held + keptText(piece)

const keptText = (piece: string | Buffer): string => (typeof piece === 'string' ? kept(piece) : latin1(piece))

/** The messages of a caller: buffers them until the callee's stream is open, and keeps them while they may have to be sent again. */
export class SentMessages {
  readonly gauge: MessageGauge
  /** Whether the caller has sent its last message. */
  isDone = false
  #kept: KeptBody | undefined
  #early: string[] | undefined
  /** All bytes of this attempt, for another connection; undefined: too large to be kept. */
  #passed: string | undefined = ''

  /** `maxBytes`: maximum size of a message; 0: no limit. */
  constructor(maxBytes: number) {
    this.gauge = new MessageGauge(maxBytes)
  }

  /** Keeps messages for retries by policies. `maxBytes`: 0: only the total of all calls limits them. */
  keep(maxBytes: number): void {
    this.#kept = new KeptBody(maxBytes)
  }

  /** Reason why the messages cannot be sent again; '': they can. */
  get whyNotAgain(): string {
    return this.#kept?.isLost === true ? 'its message is too large to be kept' : ''
  }

  /** Adds a piece. `hasStream`: the piece is also sent now. Returns false for a second message of a call with retries. */
  add(bytes: string | Buffer, hasStream: boolean): boolean {
    if (this.#kept !== undefined) {
      if (this.gauge.isBehindFirst) return false
      this.#kept.add(keptText(bytes), this.isDone)
    }
    if (!hasStream && this.#kept?.isStarted !== true) (this.#early ??= []).push(keptText(bytes))
    this.#passed = heldWith(this.#passed, bytes)
    return true
  }

  /** Makes the next stream begin with all bytes, once per call. Returns false if they are no longer kept. */
  repeat(): boolean {
    const passed = this.#passed
    this.#passed = undefined
    if (passed === undefined || this.#kept?.isLost === true) return false
    if (this.#kept === undefined) this.#early = [passed]
    return true
  }

  /** Returns all bytes so far, for a new stream or attempt; undefined: they are no longer kept. */
  first(): readonly string[] | undefined {
    const all = this.#kept
    if (all?.isStarted === true) return all.isLost ? undefined : [all.whole().toString('latin1')]
    if (all !== undefined) all.isStarted = true
    const early = this.#early
    this.#early = undefined
    return early ?? NOTHING
  }

  /** Drops messages kept for retries, since no further attempt follows. */
  release(): void {
    this.#kept?.release()
    this.#kept = undefined
  }

  drop(): void {
    this.#early = undefined
    this.#passed = undefined
    this.release()
  }
}
