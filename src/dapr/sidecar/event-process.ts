import {aborted, isWithin} from '../../platform/delay.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {LogLevel} from '../../model/plan.ts'
import type {AppResources} from '../../files/resources/app-resources.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Blocks} from './blocks/blocks.ts'
import type {DeliveryProcess} from './blocks/event-channel.ts'
import type {SidecarBlocks} from './sidecar-blocks.ts'
import {NextChange} from '../../model/next-change.ts'

/** Context of the topics and bindings that deliver events to an app. */
export interface DeliveryContext {
  readonly runtime: AppRuntime
  readonly resources: AppResources
  readonly blocks: SidecarBlocks
  readonly context: CallContext
  readonly log: (level: LogLevel, text: string) => void
}

/** Time that a process waits for its first events, in ms, while some topics cannot be read yet. */
const SLOW_MS = 2000

/**
 * Tracks the process of an app that was asked for its events, and whether it accepts them: after its answer, while it is ready and its
 * queue is open. Each new process is asked again.
 */
export class EventProcess {
  readonly #runtime: AppRuntime
  #asked: number | undefined
  /** Process whose answer is valid. */
  #current: number | undefined
  /** Process for which everything that it wants is read. */
  #known: number | undefined
  /** Resolved when waiters should look again. */
  readonly #changed = new NextChange()

  constructor(runtime: AppRuntime) {
    this.#runtime = runtime
  }

  /** Process that was asked, if any. */
  get asked(): number | undefined {
    return this.#asked
  }

  /** Whether the app's topics and bindings are known. An unhealthy app, which takes no calls, is asked later. */
  get isKnown(): boolean {
    const {isListening, queue, pid} = this.#runtime
    return isListening && (pid === this.#known || !queue.isOpen)
  }

  /** Marks the current process as asked. False if it was asked already, or accepts no calls yet: its health check may still fail. */
  ask(): boolean {
    const {pid, queue} = this.#runtime
    if (pid === this.#asked || !queue.isOpen) return false
    this.#asked = pid
    return true
  }

  /** Starts to open the events of this process. A silent server does not delay the events of other servers. */
  async followed(pid: number, following: Promise<void>): Promise<void> {
    const isSlow = !(await isWithin(SLOW_MS, following))
    if (isSlow && pid === this.#runtime.pid) this.#current = pid
    this.changed()
    await following
  }

  /** Marks the answer of this process as valid and open. */
  answered(pid: number): void {
    this.#current = this.#known = pid
    this.changed()
    this.#runtime.opening.noteReady()
  }

  /** Asks the current process again; its previous answer stays valid until then. */
  askAgain(): void {
    this.#asked = undefined
  }

  /** Forgets the answer: no process gets events before one is asked again. */
  forget(): void {
    this.#asked = this.#current = this.#known = undefined
  }

  /** Makes waiters look again. */
  changed(): void {
    this.#changed.happened()
  }

  /** Opens a channel to this app, by the protocol that it speaks. */
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
      generation: () => this.#runtime.pid,
      // after a crash calls are held; a reload pauses them or sends them to another process
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

  /** Starts it if it is asleep. */
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

/** The code of a channel for each protocol of an app. */
type ChannelCode<Channel> = Readonly<Record<'grpc' | 'http', () => Promise<new (process: DeliveryProcess) => Channel>>>

/** The topics or the bindings that one app reads. Looks again when its process, its queue or its components change. */
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

  /** Asks a new process once it accepts calls. */
  protected abstract look(): void

  protected abstract readersOf(blocks: Blocks): {close(): Promise<void>}

  /** Stops deliveries; settles when the app has answered those in progress, or `cut` is aborted. */
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
