import {setMaxListeners} from 'node:events'
import type {AppComponent} from '../../components/app-components.ts'
import type {BindingReader, BindingEvent} from '../../components/binding.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import type {BindingChannel, BindingTarget, BindingAnswer, BindingEffects} from './binding-channel.ts'
import type {BlockContext} from './block-context.ts'
import {AllFollowed, type Followed} from './followed.ts'
import type {Handled} from '../../components/pubsub.ts'
import {until} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {failureWords, type Outcomes} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {orAborted, within} from '../../../platform/delay.ts'
import type {Bindings} from './bindings.ts'
import {HeldDelivery, STOPPED, type Interrupted, type Stopped} from './held-delivery.ts'
import type {State} from './state.ts'

interface BindingDeliveryOptions {
  readonly context: BlockContext
  readonly channel: BindingChannel
  readonly bindings: Bindings
  readonly state: State
  /** Returns the binding, whose route may change while it is read. */
  readonly target: () => BindingTarget
  /** Aborted when deliveries end. Open events may still be answered. */
  readonly over: AbortSignal
}

type Outcome = BindingAnswer | Stopped

/** Time for the requests of an answer after the last delivery. */
const EFFECTS_MS = 2000

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

/** Delivers the events of one binding to the app, and does the requests of its answers (Dapr: pkg/runtime/processor/binding/send.go). */
class BindingDelivery {
  readonly #options: BindingDeliveryOptions
  readonly #held: HeldDelivery<Exclude<BindingAnswer, Interrupted>>

  constructor(options: BindingDeliveryOptions) {
    this.#options = options
    const {context, channel, target, over} = options
    this.#held = new HeldDelivery({
      context,
      block: 'bindings',
      component: () => target().name,
      ready: signal => channel.ready(signal, `an event of binding ${target().name}`),
      outcomes: OUTCOMES,
      interrupted: answer => (answer.isSent ? answer : undefined),
      over
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
        // failures are only logged: the event itself has been handled
        if (outcome.effects !== undefined) await this.#perform(outcome.effects)
        return 'done'
      case 'failed':
      case 'interrupted':
        context.log.write('warn', `error from app consumer for binding [${target().name}]: ${outcome.text}`)
        return 'failed'
    }
  }

  async #perform(effects: BindingEffects): Promise<void> {
    const work = Promise.all([this.#save(effects), this.#send(effects)])
    await orAborted(this.#options.over, work)
    await within(EFFECTS_MS, work)
  }

  async #save({storeName, state}: BindingEffects): Promise<void> {
    if (state.length === 0) return
    const saved = this.#options.state.save(storeName, state, until(this.#options.over))
    await saved.catch((error: unknown) => this.#log(`error saving state from app response: ${messageOf(error)}`))
  }

  async #send({to, data, isParallel}: BindingEffects): Promise<void> {
    const {bindings, over} = this.#options
    const send = async (name: string): Promise<unknown> =>
      bindings.invoke(name, {operation: 'create', data, metadata: {}}, until(over))
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

interface Active extends Followed {
  readonly binding: AppComponent<'bindings'>
  /** The binding, whose route may change while it is read. */
  target: BindingTarget
}

/** The blocks that answers to events may use. */
type Blocks = Pick<BindingDeliveryOptions, 'bindings' | 'state'>

/** The bindings that bring events to one app (Dapr: pkg/runtime/processor/binding). */
export class InputBindings extends AllFollowed<BindingTarget, Active> {
  readonly #blocks: Blocks

  constructor(context: BlockContext, blocks: Blocks) {
    super(context)
    this.#blocks = blocks
  }

  /** Reads exactly these bindings from now on. An unchanged binding continues. */
  async follow(wanted: readonly BindingTarget[], channel: BindingChannel): Promise<void> {
    await this.followAll(wanted, async (each, failures) => this.#begin(each, channel, failures))
  }

  protected keyOf({name}: BindingTarget): string {
    return name
  }

  async #begin(target: BindingTarget, channel: BindingChannel, failures: LogLevel): Promise<boolean | undefined> {
    const {name} = target
    const {log} = this.context
    try {
      const binding = await this.context.components.find('bindings', name)
      const current = this.active.get(name)
      if (current !== undefined && current.binding.component === binding?.component) {
        current.target = target
        return true
      }
      await this.stop(name)
      if (binding?.component.input !== undefined && this.isWanted(target))
        this.active.set(name, await this.#read(target, binding, channel))
      return true
    } catch (error) {
      log.write(failures, `error reading from input binding ${name}: ${messageOf(error)}`)
      return undefined
    }
  }

  async #read(first: BindingTarget, binding: AppComponent<'bindings'>, channel: BindingChannel): Promise<Active> {
    const {log} = this.context
    const over = new AbortController()
    const active: Omit<Active, 'reader'> & {reader?: BindingReader} = {target: first, binding, over}
    const target = (): BindingTarget => active.target
    /** Aborted when waiting events are wanted back. */
    let taken = new AbortController()
    const begin = (): BindingDelivery => {
      taken = new AbortController()
      const ended = AbortSignal.any([over.signal, taken.signal])
      // each held event adds a listener
      setMaxListeners(0, over.signal, ended)
      return new BindingDelivery({context: this.context, channel, ...this.#blocks, target, over: ended})
    }
    let delivery = begin()
    const reader = await binding.component.input?.read({
      ready: async () => channel.mayRead(over.signal),
      takeBack: () => {
        taken.abort()
        delivery = begin()
      },
      handle: async event => delivery.handle(event),
      log: (level, text) => log.write(level, text)
    })
    return Object.assign(active, {reader: reader ?? {stop: () => Promise.resolve()}})
  }
}
