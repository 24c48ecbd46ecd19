import {setMaxListeners} from 'node:events'
import type {AppComponent} from '../../components/app-components.ts'
import type {BindingReader} from '../../components/binding.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {SerialQueue} from '../../../model/serial-queue.ts'
import type {BindingChannel, BindingTarget} from './binding-channel.ts'
import {BindingDelivery, type BindingDeliveryOptions} from './binding-delivery.ts'
import type {BlockContext} from './block-context.ts'
import {untilBegun} from './until-begun.ts'

/** A binding that is read. */
interface Active {
  readonly binding: AppComponent<'bindings'>
  readonly over: AbortController
  readonly reader: BindingReader
  /** Its route may change while it is read. */
  target: BindingTarget
}

/** The blocks that answers to events may use. */
type Blocks = Pick<BindingDeliveryOptions, 'bindings' | 'state'>

/** The bindings that bring events to one app (Dapr: pkg/runtime/processor/binding). */
export class InputBindings {
  readonly #context: BlockContext
  readonly #blocks: Blocks
  readonly #active = new Map<string, Active>()
  readonly #changes = new SerialQueue()
  /** The bindings that are to be read now. */
  #wanted: readonly BindingTarget[] = []
  readonly #closing = new AbortController()

  constructor(context: BlockContext, blocks: Blocks) {
    this.#context = context
    this.#blocks = blocks
  }

  /** Reads exactly these bindings from now on. One that is already read and unchanged continues. */
  async follow(wanted: readonly BindingTarget[], channel: BindingChannel): Promise<void> {
    await this.#changes.run(async () => {
      if (this.#closing.signal.aborted) return
      this.#wanted = wanted
      const names = new Set(wanted.map(({name}) => name))
      await Promise.all([...this.#active.keys()].filter(name => !names.has(name)).map(async name => this.#stop(name)))
      const left = await this.#beginAll(wanted, channel, 'error')
      const beginLate = async (late: readonly BindingTarget[]): Promise<readonly BindingTarget[]> =>
        this.#changes.run(async () => (this.#wanted === wanted ? this.#beginAll(late, channel, 'debug') : []))
      void untilBegun(left, beginLate, this.#closing.signal)
    })
  }

  /** Gives those that cannot be read now. */
  async #beginAll(
    some: readonly BindingTarget[],
    channel: BindingChannel,
    failures: LogLevel
  ): Promise<readonly BindingTarget[]> {
    const areRead = await Promise.all(some.map(async target => this.#begin(target, channel, failures)))
    return some.filter((_, at) => areRead[at] !== true)
  }

  /** Stops reading; settles when the app has answered what it already got. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wanted = []
    for (const {over} of this.#active.values()) over.abort()
    await this.#changes.run(async () => Promise.all([...this.#active.keys()].map(async name => this.#stop(name))))
  }

  /** False: it cannot be read now. */
  async #begin(target: BindingTarget, channel: BindingChannel, failures: LogLevel): Promise<boolean> {
    const {name} = target
    const {log} = this.#context
    try {
      const binding = await this.#context.components.find('bindings', name)
      const current = this.#active.get(name)
      if (current !== undefined && current.binding.component === binding?.component) {
        current.target = target
        return true
      }
      await this.#stop(name)
      if (binding?.component.input !== undefined) this.#active.set(name, await this.#read(target, binding, channel))
      return true
    } catch (error) {
      log.write(failures, `error reading from input binding ${name}: ${messageOf(error)}`)
      return false
    }
  }

  async #read(first: BindingTarget, binding: AppComponent<'bindings'>, channel: BindingChannel): Promise<Active> {
    const {log} = this.#context
    const over = new AbortController()
    // each held event listens
    setMaxListeners(0, over.signal)
    const active: Omit<Active, 'reader'> & {reader?: BindingReader} = {target: first, binding, over}
    const delivery = new BindingDelivery({
      context: this.#context,
      channel,
      ...this.#blocks,
      target: () => active.target,
      over: over.signal
    })
    const reader = await binding.component.input?.read({
      ready: async () => channel.mayRead(over.signal),
      handle: async event => delivery.handle(event),
      log: (level, text) => log.write(level, text)
    })
    return Object.assign(active, {reader: reader ?? {stop: () => Promise.resolve()}})
  }

  async #stop(name: string): Promise<void> {
    const active = this.#active.get(name)
    if (active === undefined) return
    this.#active.delete(name)
    active.over.abort()
    await active.reader.stop()
  }
}
