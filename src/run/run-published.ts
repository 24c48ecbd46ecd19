import type {Socket} from 'node:net'
import {loadHookText} from '#daeploy'
import type {Exit} from '../model/app-state.ts'
import type {Environment} from '../model/environment.ts'
import type {Sink} from '../model/events.ts'
import {movedText} from '../model/moved-ports.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter, TellingReporter} from '../model/reporter.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {PortCaller, PublishedPort} from '../proxy/published/published-port.ts'
import type {PublishedPorts} from '../proxy/published/published-ports.ts'
import type {RunPublishedOptions} from './open-published.ts'
import type {RunContext} from './run-context.ts'
import type {TemplatePorts} from './template-ports.ts'
import {Once} from '../model/once.ts'
import type {withPortHooks as WithPortHooks} from './port-hooks.ts'

/** Time after the start of a process at which its ports are looked up. */
const FIRST_LOOK_MS = 5000

/** The published ports of a run: its apps are called there without Dapr's API. Loads the code only if a template has such ports, or another copy forwards a call. */
export class RunPublished {
  readonly options: RunPublishedOptions & {
    readonly context: RunContext
    /** Called with the port numbers of the template at which this run listens because no other copy does. */
    readonly takenOver: (numbers: readonly number[]) => void
  }
  /** The bound ports; undefined: no app has a published port. */
  #ports: PublishedPorts | undefined
  /** The ports for calls that other copies forward, by app. */
  readonly #forwarded = new Map<string, PublishedPort>()
  /** Set with `#ports`, as is the text of Python's hook. */
  #withHooks: typeof WithPortHooks | undefined
  #pythonHook = ''
  /** The port numbers in the template, if this copy has replaced some of them. */
  readonly #templatePorts = new Once<TemplatePorts>()
  /** Ids of apps whose ports outside the template were reported. */
  readonly #reported = new Set<string>()

  constructor(context: RunContext, options: Omit<RunPublished['options'], 'context'>) {
    this.options = {...options, context}
  }

  /** Binds the published ports of these apps that `others` do not have. Throws a `UserError` if one is taken. */
  async claim(plans: readonly AppPlan[], others: readonly AppPlan[] = []): Promise<void> {
    if (plans.every(({published}) => published === undefined)) return
    if (this.#ports === undefined) {
      const [{openPublished, withPortHooks}, python] = await Promise.all([
        import('./open-published.ts'),
        loadHookText()
      ])
      this.#pythonHook = python
      this.#withHooks = withPortHooks
      this.#ports ??= openPublished(this.options)
    }
    await this.#ports.claim(plans, others)
  }

  /** Returns the environment of a new process. Hooks in it let a bind of the port number in the app's code get the allocated port. */
  environment(
    before: Record<string, string>,
    {plan, ...at}: {readonly plan: AppPlan; readonly appPort: number; readonly env: Environment}
  ): Record<string, string> {
    const {published} = plan
    if (published === undefined) return before
    return this.#withHooks?.(before, published, {...at, python: this.#pythonHook}) ?? before
  }

  /** Called when the state of an app has changed. Reports a started app that listens at another port than the template says. */
  onMove(runtime: AppRuntime, reporter: TellingReporter): void {
    if (runtime.app.state.phase !== 'starting') return
    if (runtime.plan.published === undefined) return this.#reportPortsLater(runtime, reporter)
    void import('./published-hints.ts').then(async ({hintIfMovedOn}) => hintIfMovedOn(runtime, reporter))
  }

  /** Reports ports of an app that has none in the template, once the app has had time to listen. */
  #reportPortsLater(runtime: AppRuntime, reporter: TellingReporter): void {
    const {plan} = runtime
    const hasNoPort = plan.channel.port === 0 && !plan.channel.autoPort && plan.command.length > 0
    if (!hasNoPort) return
    const {pid} = runtime
    const look = async (): Promise<void> => {
      if (runtime.pid === pid) await (await import('./uncarried-ports.ts')).notePorts(runtime, reporter, this.#reported)
    }
    setTimeout(() => void look(), FIRST_LOOK_MS).unref()
  }

  /** Called after the end of an app's process. Reports that it may have failed to bind a port at which Pillion listens for it. */
  onEnd(runtime: AppRuntime, exit: Exit, reporter: Reporter): void {
    if (runtime.plan.published === undefined) return
    const {from, to} = runtime.app.lived
    void import('./published-hints.ts').then(({hintAtEnd}) => hintAtEnd(runtime, exit, to - from, reporter))
  }

  /** Accepts a connection that another copy forwards, because a process of this run has called a port of that copy. */
  async acceptForwarded({app, ends}: PortCaller, socket: Socket, early: Buffer): Promise<void> {
    const port = await this.forwardedPort(app)
    port.adopt(socket, ends, early)
  }

  /** Returns the port of an app for calls that other copies forward. */
  async forwardedPort(app: string): Promise<PublishedPort> {
    const {openForwarded} = await import('./open-published.ts')
    const port = this.#forwarded.get(app) ?? openForwarded(this.options, app)
    this.#forwarded.set(app, port)
    return port
  }

  serve(): void {
    this.#ports?.serve()
  }

  /** Keeps the connection of a run that gets a port when this run ends. */
  async keepSuccessor(number: number, successor: Socket): Promise<void> {
    const port = this.#ports?.at(number) ?? (await this.#templatePorts.begun)?.ports.at(number)
    if (port === undefined) successor.destroy()
    else port.keepSuccessor(successor)
  }

  /** Hands ports over to the copies that wait for them. */
  async handOver(): Promise<void> {
    const templatePorts = await this.#templatePorts.begun
    await Promise.all([this.#ports, templatePorts?.ports].map(async ports => ports?.handOver()))
  }

  /** Frees the ports that none of these apps wants. Called after each edit. */
  async keepOnly(plans: readonly AppPlan[]): Promise<void> {
    await this.#ports?.keepOnly(plans)
    await this.follow()
  }

  /** Listens at the replaced port numbers of the template once no other copy does. */
  async follow(): Promise<void> {
    if (this.options.context.plan.movedPorts?.size) (await this.templatePorts()).follow()
  }

  /** Returns the port numbers in the template that this copy has replaced. */
  async templatePorts(): Promise<TemplatePorts> {
    return this.#templatePorts.do(async () => {
      const [{TemplatePorts: Ports}, {openPublished}] = await Promise.all([
        import('./template-ports.ts'),
        import('./open-published.ts')
      ])
      const apps = (): readonly AppPlan[] => this.options.routes().versions.known.map(({wanted}) => wanted)
      return new Ports({...this.options, apps, ports: openPublished(this.options, async () => [])})
    })
  }

  /** Accepts nothing new. Open calls may finish until `signal` is aborted. */
  async close(signal?: AbortSignal): Promise<void> {
    const ports = [this.#ports, await this.#templatePorts.begun, ...this.#forwarded.values()]
    await Promise.all(ports.map(async port => port?.close(signal)))
  }
}

/**
 * Returns a sink that writes the address of the app once, below its first line with the number in its code. In a worktree that number
 * belongs to the main copy: a person who opens the address tests the other branch.
 */
export function withOwnAddress(sink: Sink, {published}: Pick<AppPlan, 'published'>): Sink {
  if (published === undefined || published.inCode === published.number) return sink
  const moved = new Map([[published.inCode, published.number]])
  let isWritten = false
  return lines => {
    const waits = sink(lines)
    if (isWritten || lines.stream === 'status' || movedText(lines.text, moved) === lines.text) return waits
    isWritten = true
    const also = sink({...lines, text: `callers reach it at http://localhost:${published.number}\n`})
    return waits === undefined ? also : waits.then(async () => also)
  }
}
