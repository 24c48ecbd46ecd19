import {setMaxListeners} from 'node:events'
import type {AppComponent} from '../../components/app-components.ts'
import type {BindingReader} from '../../components/binding.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import type {BindingChannel, BindingTarget} from './binding-channel.ts'
import {BindingDelivery, type BindingDeliveryOptions} from './binding-delivery.ts'
import type {BlockContext} from './block-context.ts'
import {AllFollowed, type Followed} from './followed.ts'

/** A binding that is read. */
interface Active extends Followed {
  readonly binding: AppComponent<'bindings'>
  /** Its route may change while it is read. */
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
      // each held event listens
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
