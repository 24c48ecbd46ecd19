import {aborted, isWithin} from '../../platform/delay.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {LogLevel} from '../../model/plan.ts'
import type {AppResources} from '../../files/resources/app-resources.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Blocks} from './blocks/blocks.ts'
import type {DeliveryProcess} from './blocks/event-channel.ts'
import type {SidecarBlocks} from './sidecar-blocks.ts'
import {NextChange} from '../../model/next-change.ts'

/** The parts of a sidecar that the delivery of topics and bindings needs. */
export interface DeliveryContext {
  readonly runtime: AppRuntime
  readonly resources: AppResources
  readonly blocks: SidecarBlocks
  readonly context: CallContext
  readonly log: (level: LogLevel, text: string) => void
}

/** Time after which a process gets its first events although some topics or bindings cannot be read yet, in ms. */
const SLOW_MS = 2000

/**
 * Tracks which process of an app was asked for its topics or bindings, and whether it accepts events: once it has answered, while it is
 * ready and its admission queue is open. Each new process is asked.
 */
export class EventProcess {
  readonly #runtime: AppRuntime
  /** Id of the process that was asked last. */
  #asked: number | undefined
  /** Id of the process that gets events, since it has answered. */
  #current: number | undefined
  /** Id of the process of which all topics or bindings are read. */
  #known: number | undefined
  /** Resolved when code that waits should check its condition again. */
  readonly #changed = new NextChange()

  constructor(runtime: AppRuntime) {
    this.#runtime = runtime
  }

  /** Id of the process that was asked last; undefined: none, or it has to be asked again. */
  get asked(): number | undefined {
    return this.#asked
  }

  /** Whether the process has answered, or accepts no calls: an unhealthy process is asked later. */
  get isKnown(): boolean {
    const {isListening, queue, pid} = this.#runtime
    return isListening && (pid === this.#known || !queue.isOpen)
  }

  /** Marks the current process as asked. Returns false if it was asked already, or accepts no calls yet: it must not be asked then. */
  ask(): boolean {
    const {pid, queue} = this.#runtime
    if (pid === this.#asked || !queue.isOpen) return false
    this.#asked = pid
    return true
  }

  /** Waits until the topics or bindings of a process are read. After SLOW_MS the process gets events of those that are read already. */
  async followed(pid: number, following: Promise<void>): Promise<void> {
    const isSlow = !(await isWithin(SLOW_MS, following))
    if (isSlow && pid === this.#runtime.pid) this.#current = pid
    this.changed()
    await following
  }

  /** Called when all that a process asked for is read: it gets events, and counts as ready. */
  answered(pid: number): void {
    this.#current = this.#known = pid
    this.changed()
    this.#runtime.opening.noteReady()
  }

  /** Makes `ask` accept the current process again. Its previous answer stays valid until the next one. */
  askAgain(): void {
    this.#asked = undefined
  }

  /** Forgets the process and its answer. No process gets events before one has answered. */
  forget(): void {
    this.#asked = this.#current = this.#known = undefined
  }

  changed(): void {
    this.#changed.happened()
  }

  /** Makes the channel to the app, for its protocol. */
  async openChannel<Channel>(
    {context: {heldBodies, observer, faults}, log}: DeliveryContext,
    load: ChannelCode<Channel>
  ): Promise<Channel> {
    const isGrpc = this.#runtime.plan.channel.protocol.startsWith('grpc')
    const Channel = await (isGrpc ? load.grpc() : load.http())
    return new Channel({
      app: this.#runtime,
      context: {heldBodies, observer, faults},
      ready: (signal, cause, mayGo = () => true) =>
        this.#takesEvents && mayGo() ? undefined : this.#until(() => this.#takesEventsOf(cause) && mayGo(), signal),
      mayRead: signal => (this.#mayRead ? undefined : this.#until(() => this.#mayRead, signal)),
      isReady: () => this.#takesEvents,
      pid: () => this.#runtime.pid,
      // a reload closes an open queue, or replaces the process; after a crash the queue's state is not `open`
      isReplaced: before => {
        const {queue, pid} = this.#runtime
        return queue.state === 'open' && (!queue.isOpen || pid !== before)
      },
      log
    })
  }

  get #takesEvents(): boolean {
    const {isListening, queue, pid} = this.#runtime
    return isListening && queue.isOpen && pid === this.#current
  }

  /** Whether the app accepts events. If not, starts it if it is asleep. `cause`: the reason to start it. */
  #takesEventsOf(cause: string): boolean {
    if (!this.#takesEvents) this.#runtime.sleep.need(cause)
    return this.#takesEvents
  }

  get #mayRead(): boolean {
    return this.#takesEvents || this.#runtime.sleep.isAsleep
  }

  async #until(isTrue: () => boolean, signal: AbortSignal): Promise<void> {
    const changed = (): void => this.changed()
    signal.addEventListener('abort', changed, {once: true})
    while (!isTrue() && !signal.aborted) await this.#changed.promise
    signal.removeEventListener('abort', changed)
  }
}

type ChannelCode<Channel> = Readonly<Record<'grpc' | 'http', () => Promise<new (process: DeliveryProcess) => Channel>>>

/** Base class for the delivery of topics or bindings to one app. Calls `look` when the app's process, queue or components change. */
export abstract class AppDelivery<Channel> {
  protected readonly options: DeliveryContext
  protected readonly process: EventProcess
  protected readonly over = new AbortController()
  protected readonly stops: (() => void)[]
  protected hasFollowed = false
  protected isWarned = false
  readonly #code: ChannelCode<Channel>
  #channel: Channel | undefined

  constructor(options: DeliveryContext, code: ChannelCode<Channel>) {
    this.options = options
    this.#code = code
    const {runtime} = options
    this.process = new EventProcess(runtime)
    this.stops = [runtime.onMove(() => this.look()), runtime.queue.onOpen(() => this.look())]
  }

  /** Called after each change. Asks a new process once it accepts calls. */
  protected abstract look(): void

  /** Returns the block that reads the topics or bindings. */
  protected abstract readersOf(blocks: Blocks): {close(): Promise<void>}

  /** Stops deliveries. Settles when the app has answered open events, or `cut` is aborted. */
  async close(cut: AbortSignal): Promise<void> {
    for (const stop of this.stops) stop()
    this.over.abort()
    this.process.changed()
    if (!this.hasFollowed) return
    const closed = this.options.blocks.begun?.then(async blocks => this.readersOf(blocks).close())
    await Promise.race([closed, aborted(cut)])
  }

  protected async openChannel(): Promise<Channel> {
    this.#channel ??= await this.process.openChannel(this.options, this.#code)
    return this.#channel
  }
}
