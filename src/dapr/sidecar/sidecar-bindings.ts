import {isWithin} from '../../platform/delay.ts'
import {DIRECTION, isForDirection, namesDirection, splitType} from '../../files/resources/component-types.ts'
import type {ComponentResource} from '../../files/resources/components.ts'
import {mayAsk, isServer, untilAnswer} from './ask-app.ts'
import type {BindingChannel, BindingTarget, SaidBindings} from './blocks/binding-channel.ts'
import type {Blocks} from './blocks/blocks.ts'
import {AppDelivery, type DeliveryContext} from './event-process.ts'
import type {SidecarBlocks} from './sidecar-blocks.ts'

/** Wait for the app's answers before bindings without an answer are skipped for now, and the longest wait, in ms (Dapr: app-binding-options-timeout). */
const QUICK_MS = 3000
const LATE_MS = 60_000

interface Input {
  readonly resource: ComponentResource
  readonly target: BindingTarget
  /** Whether the file has `direction: input`, so that the app is not asked whether it wants the events. */
  readonly isWanted: boolean
}

/**
 * Delivers events of bindings to an app. Asks each process of the app which bindings it wants, and delivers while the process that has
 * answered is ready. Loads the code for bindings only for an app whose files name one.
 */
export class SidecarBindings extends AppDelivery<BindingChannel> {
  #inputs: readonly Input[] = []
  /** The inputs that the current process was asked about, and its answers. */
  #asked: readonly Input[] = []
  #said: SaidBindings = new Map()
  /** Names of the bindings that the last process wanted; undefined: none has answered yet. */
  #wanted: readonly string[] | undefined
  /** Aborted when the process has exited. Otherwise the question would wait for the next process, which is asked separately. */
  #question = new AbortController()

  constructor(options: DeliveryContext) {
    super(options, {
      grpc: async () => (await import('./grpc/blocks/grpc-binding-channel.ts')).GrpcBindingChannel,
      http: async () => (await import('./http/blocks/http-binding-channel.ts')).HttpBindingChannel
    })
    this.stops.push(options.blocks.onComponents(() => this.#reload()))
    this.look()
  }

  /** Whether all bindings that the app wants are read. True for an app without bindings. */
  get isReady(): boolean {
    const {runtime} = this.options
    return this.#inputs.length === 0 || !mayAsk(runtime) || runtime.appPort === 0 || this.process.isKnown
  }

  override async close(cut: AbortSignal): Promise<void> {
    this.#question.abort()
    this.process.forget()
    await super.close(cut)
  }

  protected readersOf({inputBindings}: Blocks): Blocks['inputBindings'] {
    return inputBindings
  }

  protected look(): void {
    const {runtime, blocks, log} = this.options
    this.#inputs = this.#newInputs()
    const mayWant = mayAsk(runtime) && (this.#inputs.length > 0 || this.hasFollowed)
    if (mayWant && runtime.appPort === 0 && !this.isWarned) {
      this.isWarned = true
      log('warn', 'failed to read from bindings: app channel not initialized')
    }
    // components open before apps start, so daprd has reported the directions of its bindings by now
    if (runtime.appPort === 0 || (!mayWant && runtime.isListening)) blocks.setKnown('bindings')
    const isAsked = runtime.isListening && runtime.appPort > 0 && mayWant
    if (isAsked && this.process.ask()) {
      this.#question.abort()
      this.#question = new AbortController()
      void this.#ask(runtime.pid, this.#question.signal)
    } else if (!isAsked) {
      this.#question.abort()
      this.process.forget()
    }
    if (mayWant && runtime.appPort > 0 && runtime.sleep.isAsleep && !this.hasFollowed) void this.#followAsleep()
    this.process.changed()
  }

  /** Reads bindings for an app that is asleep, so that their events start it: those that its last process wanted or files declare as inputs. */
  async #followAsleep(): Promise<void> {
    const {runtime, blocks} = this.options
    const {bindings = []} = runtime.sleep.triggers
    const wanted = this.#inputs.filter(({target, isWanted}) => isWanted || bindings.includes(target.name))
    if (wanted.length === 0 && !this.hasFollowed) return
    this.hasFollowed = true
    const [{inputBindings}, channel] = await Promise.all([blocks.load(), this.openChannel()])
    const targets = wanted.map(({target}) => target)
    if (runtime.sleep.isAsleep) await inputBindings.follow(targets, channel)
  }

  /** Asks the app again if its bindings have changed in the files. A sleeping app is not asked: events of its known bindings start it. */
  #reload(): void {
    const now = this.#newInputs()
    const asked = this.#asked
    const isSame = now.length === asked.length && now.every(({resource}, at) => resource === asked[at]?.resource)
    if (!isSame) this.process.askAgain()
    this.look()
    if (this.options.runtime.sleep.isAsleep && this.hasFollowed) void this.#followAsleep()
  }

  #newInputs(): readonly Input[] {
    const {resources, blocks} = this.options
    return resources.snapshot.components.flatMap(each => inputOf(blocks.inEffect(each), blocks))
  }

  async #ask(pid: number, signal: AbortSignal): Promise<void> {
    const {log, runtime} = this.options
    this.hasFollowed = true
    this.#asked = this.#inputs
    const said = (this.#said = new Map())
    const asked = this.#asked.filter(({isWanted}) => !isWanted).map(({target}) => target)
    if (asked.length > 0 && (await isServer(runtime.plan))) for (const {name} of asked) said.set(name, false)
    const channel = await this.openChannel()
    const late = AbortSignal.any([untilAnswer(runtime, signal), AbortSignal.timeout(LATE_MS)])
    const asking = asked.length === said.size ? Promise.resolve() : channel.ask(asked, said, late)
    // an unanswered question does not delay the other bindings
    if (!(await isWithin(QUICK_MS, asking))) {
      const open = asked.filter(({name}) => !said.has(name)).map(({name}) => name)
      log('error', `app has not said yet whether it subscribes to: ${open.join(', ')}.`)
      await this.#follow(pid, channel, signal)
    }
    await asking
    await this.#follow(pid, channel, signal, true)
  }

  /** Reads the bindings that the app wants. Without an answer, reads those that its last process wanted. `isLast`: no more answers follow. */
  async #follow(pid: number, channel: BindingChannel, signal: AbortSignal, isLast = false): Promise<void> {
    if (signal.aborted) return
    const {blocks, log, runtime} = this.options
    const before = this.#wanted ?? runtime.sleep.triggers.bindings ?? []
    const isTaken = (name: string): boolean => this.#said.get(name) ?? before.includes(name)
    const targets = this.#asked.flatMap(({target, isWanted}) => (isWanted || isTaken(target.name) ? target : []))
    const left = this.#asked.filter(({target, isWanted}) => !isWanted && !isTaken(target.name))
    for (const {target} of isLast ? left : []) {
      const {name} = target
      if (this.#said.get(name) === false) log('info', `app has not subscribed to binding ${name}.`)
      else log('warn', `app has not said whether it subscribes to binding ${name}: it is not read.`)
    }
    const bindings = (this.#wanted = targets.map(({name}) => name))
    runtime.sleep.learn({bindings})
    const {inputBindings} = await blocks.load()
    await this.process.followed(pid, inputBindings.follow(targets, channel))
    if (signal.aborted) return
    blocks.setKnown('bindings')
    this.process.answered(pid)
  }
}

const inputOf = (resource: ComponentResource, blocks: SidecarBlocks): readonly Input[] => {
  const {name, type, properties} = resource
  if (splitType(type)[0] !== 'bindings' || blocks.isMissing(resource)) return []
  const capabilities = blocks.capabilitiesOf(resource)
  // daprd does not report the direction of a binding that it has yet to open
  const mayBeInput = capabilities.length === 0 && blocks.isByDaprd(resource)
  if (!mayBeInput && !capabilities.includes('INPUT_BINDING')) return []
  const valueOf = (wanted: string): string =>
    properties.find(property => property.name.toLowerCase() === wanted)?.value ?? ''
  const direction = valueOf(DIRECTION)
  if (!isForDirection(direction, 'input')) return []
  return [{resource, target: {name, route: valueOf('route') || name}, isWanted: namesDirection(direction, 'input')}]
}
