import type {BindingEvent, EventHandled} from '../../components/binding.ts'
import type {AttemptControl} from '../../gateway/interceptors/resiliency/attempt.ts'
import type {Outcomes, ResilientCall} from '../../gateway/interceptors/resiliency/resilient-call.ts'
import {messageOf} from '../../model/errors.ts'
import {pause} from '../../platform/delay.ts'
import type {BindingAnswer, BindingChannel, BindingTarget, BindingWishes} from './binding-channel.ts'
import type {Bindings} from './bindings.ts'
import {policyTarget, type BlockContext} from './block-context.ts'
import type {State} from './state.ts'

export interface BindingDeliveryOptions {
  readonly context: BlockContext
  readonly channel: BindingChannel
  readonly bindings: Bindings
  readonly state: State
  /** As it is now. */
  readonly target: () => BindingTarget
  /** Aborted when nothing more is to be delivered; what the app has already may still be answered. */
  readonly over: AbortSignal
}

/** `stopped`: nothing is delivered any more, the app never got it. */
type Outcome = BindingAnswer | {readonly kind: 'stopped'}

const NOTICED_MS = 50
const STOPPED: Outcome = {kind: 'stopped'}

const OUTCOMES: Outcomes<Outcome> = {
  judge: outcome => {
    if (outcome.kind === 'success') return 'success'
    if (outcome.kind === 'stopped') return 'excluded'
    return outcome.kind === 'failed' && outcome.status >= 300 ? outcome.status : 'failed'
  },
  failed: reason => {
    if (reason === 'cancelled') return STOPPED
    return {
      kind: 'failed',
      status: 0,
      text: `error invoking app: ${reason === 'timeout' ? 'context deadline exceeded' : reason}`
    }
  },
  discard: () => undefined
}

/**
 * Delivers the events of one binding to the app, and does what its answers ask for (Dapr: pkg/runtime/processor/binding/send.go).
 * An event is held while the app starts, reloads or is unhealthy: that counts as no failure.
 */
export class BindingDelivery {
  readonly #options: BindingDeliveryOptions
  readonly #waiting = new Set<ResilientCall<Outcome>>()

  constructor(options: BindingDeliveryOptions) {
    this.#options = options
    options.over.addEventListener(
      'abort',
      () => {
        for (const call of this.#waiting) call.cancel()
      },
      {once: true}
    )
  }

  /** Delivers one event. Never rejects. */
  async handle(event: BindingEvent): Promise<EventHandled> {
    const {context, target} = this.#options
    const startedAt = performance.now()
    const outcome = await this.#attempt(event)
    const elapsedMs = performance.now() - startedAt
    if (outcome.kind !== 'stopped')
      context.counted({type: 'triggered', component: target().name, isSuccess: outcome.kind === 'success', elapsedMs})
    switch (outcome.kind) {
      case 'stopped':
        return 'returned'
      case 'success':
        if (outcome.wishes !== undefined) await this.#fulfil(outcome.wishes)
        return 'done'
      case 'failed':
      case 'interrupted':
        context.log.write('warn', `error from app consumer for binding [${target().name}]: ${outcome.text}`)
        return 'failed'
    }
  }

  /** Delivers with the inbound policies of the component. */
  async #attempt(event: BindingEvent): Promise<Outcome> {
    const {context, target} = this.#options
    const policies = context.policies()
    const found = policies?.find(policyTarget('bindings', target().name, 'inbound'))
    if (policies === undefined || found === undefined) return this.#held(event)
    const call = policies.call(found, OUTCOMES)
    this.#waiting.add(call)
    try {
      return await call.run(async attempt => this.#held(event, attempt))
    } finally {
      this.#waiting.delete(call)
    }
  }

  /** Delivers when the app takes events, again if its process has ended before it got this one. */
  async #held(event: BindingEvent, attempt?: AttemptControl): Promise<Outcome> {
    const {channel, over, target} = this.#options
    for (;;) {
      attempt?.pause()
      await channel.ready(over)
      attempt?.resume()
      if (over.aborted) return STOPPED
      const answer = await channel.deliver(target(), event, attempt)
      if (answer.kind !== 'interrupted' || answer.isSent || attempt?.isStopped === true) return answer
      // that it does not listen any more is noticed in a moment
      await pause(NOTICED_MS, over)
    }
  }

  /** What fails is logged: the event has been handled all the same. */
  async #fulfil(wishes: BindingWishes): Promise<void> {
    await Promise.all([this.#save(wishes), this.#send(wishes)])
  }

  async #save({storeName, state}: BindingWishes): Promise<void> {
    if (state.length === 0) return
    try {
      await this.#options.state.save(storeName, state)
    } catch (error) {
      this.#log(`error saving state from app response: ${messageOf(error)}`)
    }
  }

  async #send({to, data, isParallel}: BindingWishes): Promise<void> {
    const {bindings} = this.#options
    const send = async (name: string): Promise<unknown> =>
      bindings.invoke(name, {operation: 'create', data, metadata: {}})
    try {
      if (isParallel) {
        const results = await Promise.allSettled(to.map(send))
        for (const result of results) if (result.status === 'rejected') this.#log(messageOf(result.reason))
      } else for (const name of to) await send(name)
    } catch (error) {
      this.#log(`error executing app response: ${messageOf(error)}`)
    }
  }

  #log(text: string): void {
    this.#options.context.log.write('error', text)
  }
}
