import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {Outcomes, ResilientCall} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'
import {policyTarget, type BlockContext} from './block-context.ts'

/** Delivery has stopped; the app never got the event. */
export interface Stopped {
  readonly kind: 'stopped'
}

export const STOPPED: Stopped = {kind: 'stopped'}

/** The process of the app ended before it answered. `isSent`: it got the event. `isReplaced`: we ended it for a new process. */
export interface Interrupted {
  readonly kind: 'interrupted'
  readonly isSent: boolean
  readonly isReplaced?: boolean
  readonly text: string
}

/** The result of a delivery: an answer of the app, or the reason why there is none. `failed`: the event cannot be sent at all. */
type Outcome<Answer> =
  | Answer
  | Interrupted
  | Stopped
  | {readonly kind: 'failed'; readonly status: 0; readonly text: string}

/** Delivers an event once. Rejects if the event cannot be sent: other programs may publish any data. */
type Deliver<Answer> = (attempt?: AttemptControl) => Promise<Outcome<Answer>>

interface HeldDeliveryOptions<Answer> {
  readonly context: BlockContext
  readonly block: 'pubsub' | 'bindings'
  readonly component: () => string
  /** Waits until the app accepts events, or the signal is aborted. Returns undefined if it accepts them now. */
  readonly ready: (signal: AbortSignal) => Promise<void> | undefined
  readonly outcomes: Outcomes<Outcome<Answer>>
  /** The outcome of an interrupted event, `crashes` of whose processes ended after they got it; undefined: it is delivered again. */
  readonly interrupted: (answer: Interrupted, crashes: number) => Outcome<Answer> | undefined
  /** Aborted when deliveries end. Open events may still be answered. */
  readonly over: AbortSignal
}

/** Time in which the sidecar notices that a process no longer listens, in ms. */
const NOTICED_MS = 50

const isInterrupted = (outcome: {readonly kind: string}): outcome is Interrupted => outcome.kind === 'interrupted'

/**
 * Delivers events to the app under the inbound policies of their component. Holds an event while the app starts, reloads or is unhealthy;
 * this time is not a failure.
 */
export class HeldDelivery<Answer extends {readonly kind: string}> {
  readonly #options: HeldDeliveryOptions<Answer>
  readonly #calls = new Set<ResilientCall<Outcome<Answer>>>()

  constructor(options: HeldDeliveryOptions<Answer>) {
    this.#options = options
    const finish = (): void => this.#calls.forEach(call => call.finish())
    options.over.addEventListener('abort', finish, {once: true})
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

  /** Delivers under the policies. A request under way may finish after the delivery is stopped; its failure is not retried. */
  async #runWithPolicies(call: ResilientCall<Outcome<Answer>>, deliver: Deliver<Answer>): Promise<Outcome<Answer>> {
    const {over, outcomes} = this.#options
    this.#calls.add(call)
    if (over.aborted) call.finish()
    try {
      const outcome = await call.run(async attempt => this.#deliver(deliver, attempt))
      return over.aborted && outcomes.judge(outcome) !== 'success' ? STOPPED : outcome
    } finally {
      this.#calls.delete(call)
    }
  }

  /** Delivers once the app accepts events, and again if its process ends before it answers. */
  async #deliver(deliver: Deliver<Answer>, attempt?: AttemptControl): Promise<Outcome<Answer>> {
    const {ready, interrupted, over} = this.#options
    for (let crashes = 0; ;) {
      const held = ready(over)
      if (held !== undefined) {
        attempt?.pause()
        await held
        attempt?.resume()
      }
      if (over.aborted) return STOPPED
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
      if (!answer.isSent) await pause(NOTICED_MS, over)
    }
  }
}
