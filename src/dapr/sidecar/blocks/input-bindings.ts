import type {AppComponent} from '../../components/app-components.ts'
import type {BindingEvent} from '../../components/binding.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import type {BindingChannel, BindingTarget, BindingAnswer, BindingEffects} from './binding-channel.ts'
import type {BlockContext} from './block-context.ts'
import {EventReaders, ReturnableDelivery, type RunningReader} from './event-readers.ts'
import type {Handled} from '../../components/pubsub.ts'
import {until} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {failureWords, type Outcomes} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {orAborted, within} from '../../../platform/delay.ts'
import type {Bindings} from './bindings.ts'
import {HeldDelivery, STOPPED, type Interrupted, type Stopped} from './held-delivery.ts'
import type {State} from './state.ts'

/** The blocks that the effects of an answer use. */
interface EffectBlocks {
  readonly bindings: Bindings
  readonly state: State
}

interface BindingDeliveryOptions {
  readonly context: BlockContext
  readonly channel: BindingChannel
  readonly blocks: EffectBlocks
  /** Returns the binding, whose route may change while it is read. */
  readonly target: () => BindingTarget
  /** Aborted when deliveries end. Open events may still be answered. */
  readonly signal: AbortSignal
}

type Outcome = BindingAnswer | Stopped

/** Time that the effects of an answer may still take after deliveries have ended, in ms. */
const EFFECTS_MS = 2000

/** How policies treat the outcomes of deliveries. */
const OUTCOMES: Outcomes<Outcome> = {
  judge: outcome => {
    if (outcome.kind === 'success') return 'success'
    if (outcome.kind === 'stopped') return 'excluded'
    return outcome.kind === 'failed' && outcome.status >= 300 ? outcome.status : 'failed'
  },
  failed: reason => {
    if (reason === 'cancelled') return STOPPED
    return {kind: 'failed', status: 0, text: `error invoking app: ${failureWords(reason)}`}
  },
  discard: () => undefined
}

/** Delivers the events of one binding to the app, and performs the effects of its answers (Dapr: pkg/runtime/processor/binding/send.go). */
class BindingDelivery {
  readonly #options: BindingDeliveryOptions
  readonly #held: HeldDelivery<Exclude<BindingAnswer, Interrupted>>

  constructor(options: BindingDeliveryOptions) {
    this.#options = options
    const {context, channel, target, signal} = options
    this.#held = new HeldDelivery({
      context,
      block: 'bindings',
      component: () => target().name,
      ready: stopped => channel.ready(stopped, `an event of binding ${target().name}`),
      outcomes: OUTCOMES,
      interrupted: answer => (answer.isSent ? answer : undefined),
      signal
    })
  }

  /** Delivers one event. Never rejects. */
  async handle(event: BindingEvent): Promise<Handled> {
    const {context, channel, target} = this.#options
    const startedAt = performance.now()
    const outcome = await this.#held.run(async attempt => channel.deliver(target(), event, attempt))
    const elapsedMs = performance.now() - startedAt
    if (outcome.kind !== 'stopped')
      context.counted({type: 'triggered', component: target().name, isSuccess: outcome.kind === 'success', elapsedMs})
    switch (outcome.kind) {
      case 'stopped':
        return 'returned'
      case 'success':
        // failed effects are only logged: the event itself has been handled
        if (outcome.effects !== undefined) await this.#perform(outcome.effects)
        return 'done'
      case 'failed':
      case 'interrupted':
        context.log.write('warn', `error from app consumer for binding [${target().name}]: ${outcome.text}`)
        return 'failed'
    }
  }

  /** Saves state, and calls output bindings. Never rejects. */
  async #perform(effects: BindingEffects): Promise<void> {
    const work = Promise.all([this.#saveState(effects), this.#callBindings(effects)])
    await orAborted(this.#options.signal, work)
    await within(EFFECTS_MS, work)
  }

  async #saveState({storeName, state}: BindingEffects): Promise<void> {
    if (state.length === 0) return
    const {blocks, signal} = this.#options
    const saved = blocks.state.save(storeName, state, until(signal))
    await saved.catch((error: unknown) => this.#log(`error saving state from app response: ${messageOf(error)}`))
  }

  async #callBindings({to, data, isParallel}: BindingEffects): Promise<void> {
    const {blocks, signal} = this.#options
    const call = async (name: string): Promise<unknown> =>
      blocks.bindings.invoke(name, {operation: 'create', data, metadata: {}}, until(signal))
    try {
      if (isParallel) {
        const results = await Promise.allSettled(to.map(call))
        for (const result of results) if (result.status === 'rejected') this.#log(messageOf(result.reason))
      } else for (const name of to) await call(name)
    } catch (error) {
      this.#log(`error executing app response: ${messageOf(error)}`)
    }
  }

  #log(text: string): void {
    this.#options.context.log.write('error', text)
  }
}

/** A binding whose events are read. */
interface ReadBinding extends RunningReader {
  readonly binding: AppComponent<'bindings'>
  /** The binding's name and its route, which may change while it is read. */
  target: BindingTarget
}

/** Reads the input bindings that one app wants, and delivers their events (Dapr: pkg/runtime/processor/binding). */
export class InputBindings extends EventReaders<BindingTarget, ReadBinding> {
  readonly #blocks: EffectBlocks

  constructor(context: BlockContext, blocks: EffectBlocks) {
    super(context)
    this.#blocks = blocks
  }

  /** Reads exactly these bindings from now on. An unchanged binding continues. */
  async follow(wanted: readonly BindingTarget[], channel: BindingChannel): Promise<void> {
    await this.followAll(wanted, async (target, level) => this.#begin(target, channel, level))
  }

  protected keyOf({name}: BindingTarget): string {
    return name
  }

  /** Begins to read a binding, unless its open component is read already. */
  async #begin(target: BindingTarget, channel: BindingChannel, level: LogLevel): Promise<boolean | undefined> {
    const {name} = target
    const {log, components} = this.context
    try {
      const binding = await components.find('bindings', name)
      const current = this.running.get(name)
      if (current !== undefined && current.binding.component === binding?.component) {
        current.target = target
        return false
      }
      await this.stop(name)
      if (binding?.component.input !== undefined && this.isWanted(target))
        this.running.set(name, await this.#read(target, binding, channel))
      return true
    } catch (error) {
      log.write(level, `error reading from input binding ${name}: ${messageOf(error)}`)
      return undefined
    }
  }

  async #read(target: BindingTarget, binding: AppComponent<'bindings'>, channel: BindingChannel): Promise<ReadBinding> {
    const {context} = this
    const stopping = new AbortController()
    const running: Omit<ReadBinding, 'reader'> = {target, binding, stopping}
    const shared = {context, channel, blocks: this.#blocks, target: () => running.target}
    const delivery = new ReturnableDelivery(stopping, signal => new BindingDelivery({...shared, signal}))
    const reader = await binding.component.input?.read({
      ready: async () => channel.mayRead(stopping.signal),
      takeBack: () => delivery.takeBack(),
      handle: async event => delivery.current.handle(event),
      log: (level, text) => context.log.write(level, text)
    })
    return Object.assign(running, {reader: reader ?? {stop: async () => Promise.resolve()}})
  }
}
