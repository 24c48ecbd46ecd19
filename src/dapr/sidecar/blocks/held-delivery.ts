import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {Outcomes, ResilientCall} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'
import {policyTarget, type BlockContext} from './block-context.ts'

/** Deliveries have stopped, or a policy was cancelled: the event returns to its broker. */
export interface Stopped {
  readonly kind: 'stopped'
}

export const STOPPED: Stopped = {kind: 'stopped'}

/** The app's process ended before it answered. `isSent`: it had received the event. `isReplaced`: a reload or restart ended it. */
export interface Interrupted {
  readonly kind: 'interrupted'
  readonly isSent: boolean
  readonly isReplaced?: boolean
  readonly text: string
}

/** The result of a delivery: an answer of the app, or the reason why there is none. `failed`: the event cannot be encoded as a request. */
type Outcome<Answer> =
  | Answer
  | Interrupted
  | Stopped
  | {readonly kind: 'failed'; readonly status: 0; readonly text: string}

/** Delivers an event once. Rejects if the event cannot be encoded as a request: other programs may publish any data. */
type Deliver<Answer> = (attempt?: AttemptControl) => Promise<Outcome<Answer>>

interface HeldDeliveryOptions<Answer> {
  readonly context: BlockContext
  readonly block: 'pubsub' | 'bindings'
  /** Returns the name of the component, for its policies. */
  readonly component: () => string
  /** Waits until the app accepts events, or the signal is aborted. Returns undefined if it accepts them now. */
  readonly ready: (signal: AbortSignal) => Promise<void> | undefined
  readonly outcomes: Outcomes<Outcome<Answer>>
  /** Returns the outcome of an interrupted event; undefined: deliver it again. `crashes`: processes that crashed with this event. */
  readonly interrupted: (answer: Interrupted, crashes: number) => Outcome<Answer> | undefined
  /** Aborted when deliveries end. Open events may still be answered. */
  readonly signal: AbortSignal
}

/** Delay before a new try after an event could not be sent, in ms. By then the sidecar knows that the process no longer listens. */
const NOTICED_MS = 50

const isInterrupted = (outcome: {readonly kind: string}): outcome is Interrupted => outcome.kind === 'interrupted'

/**
 * Delivers events to the app under the inbound policies of their component. An event waits while the app starts, reloads or is unhealthy.
 * This wait does not count towards the timeout of a policy.
 */
export class HeldDelivery<Answer extends {readonly kind: string}> {
  readonly #options: HeldDeliveryOptions<Answer>
  readonly #calls = new Set<ResilientCall<Outcome<Answer>>>()

  constructor(options: HeldDeliveryOptions<Answer>) {
    this.#options = options
    const finish = (): void => this.#calls.forEach(call => call.finish())
    options.signal.addEventListener('abort', finish, {once: true})
  }

  /** Delivers one event, or one batch. Never rejects. */
  run(deliver: Deliver<Answer>): Promise<Outcome<Answer>> {
    const {context, block, component, outcomes} = this.#options
    const policies = context.policies()
    const found = policies?.find(policyTarget(block, component(), 'inbound'))
    return policies === undefined || found === undefined
      ? this.#deliver(deliver)
      : this.#runWithPolicies(policies.call(found, outcomes), deliver)
  }

  /** Delivers under the policies. After `signal` a request under way may still finish, but a failure is not retried. */
  async #runWithPolicies(call: ResilientCall<Outcome<Answer>>, deliver: Deliver<Answer>): Promise<Outcome<Answer>> {
    const {signal, outcomes} = this.#options
    this.#calls.add(call)
    if (signal.aborted) call.finish()
    try {
      const outcome = await call.run(async attempt => this.#deliver(deliver, attempt))
      return signal.aborted && outcomes.judge(outcome) !== 'success' ? STOPPED : outcome
    } finally {
      this.#calls.delete(call)
    }
  }

  /** Delivers once the app accepts events, and again if its process ends before it answers. */
  async #deliver(deliver: Deliver<Answer>, attempt?: AttemptControl): Promise<Outcome<Answer>> {
    const {ready, interrupted, signal} = this.#options
    for (let crashes = 0; ;) {
      const held = ready(signal)
      if (held !== undefined) {
        attempt?.pause()
        await held
        attempt?.resume()
      }
      if (signal.aborted) return STOPPED
      let answer: Outcome<Answer>
      try {
        answer = await deliver(attempt)
      } catch (error) {
        return {kind: 'failed', status: 0, text: messageOf(error)}
      }
      if (!isInterrupted(answer) || attempt?.isStopped === true) return answer
      if (answer.isSent && answer.isReplaced !== true) crashes++
      const outcome = interrupted(answer, crashes)
      if (outcome !== undefined) return outcome
      if (!answer.isSent) await pause(NOTICED_MS, signal)
    }
  }
}
