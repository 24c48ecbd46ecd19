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
import type {WrittenPorts} from './written-ports.ts'
import {Once} from '../model/once.ts'
import type {withPortHooks as WithPortHooks} from './port-hooks.ts'

/** Time after the start of a process at which its ports are read. */
const FIRST_LOOK_MS = 5000

/** The ports at which apps of a run are called without Dapr's API; loaded if a template has any. */
export class RunPublished {
  readonly options: RunPublishedOptions & {
    readonly context: RunContext
    /** Called with the numbers of the template at which this run answers in the place of another copy. */
    readonly takenOver: (numbers: readonly number[]) => void
  }
  #ports: PublishedPorts | undefined
  /** The ports for calls that other copies pass on, by app. */
  readonly #inner = new Map<string, PublishedPort>()
  #withHooks: typeof WithPortHooks | undefined
  #python = ''
  /** The numbers of the template, if this copy has others. */
  readonly #written = new Once<WrittenPorts>()
  /** Ids of apps that listen at a port which the template does not name. */
  readonly #announced = new Set<string>()

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
      this.#python = python
      this.#withHooks = withPortHooks
      this.#ports ??= openPublished(this.options)
    }
    await this.#ports.claim(plans, others)
  }

  /** The environment of a new process, in which the bind of the number in its code is redirected. */
  environment(
    before: Record<string, string>,
    {plan, ...at}: {readonly plan: AppPlan; readonly appPort: number; readonly env: Environment}
  ): Record<string, string> {
    const {published} = plan
    if (published === undefined) return before
    return this.#withHooks?.(before, published, {...at, python: this.#python}) ?? before
  }

  /** Called when the state of an app has changed. Reports a started app that listens elsewhere. */
  onMove(runtime: AppRuntime, reporter: TellingReporter): void {
    if (runtime.app.state.phase !== 'starting') return
    if (runtime.plan.published === undefined) return this.#noteLater(runtime, reporter)
    void import('./published-hints.ts').then(async ({hintIfMovedOn}) => hintIfMovedOn(runtime, reporter))
  }

  /** Loads the search for ports when it is due: a start does not need it. */
  #noteLater(runtime: AppRuntime, reporter: TellingReporter): void {
    const {plan} = runtime
    const isUncarried = plan.channel.port === 0 && !plan.channel.autoPort && plan.command.length > 0
    if (!isUncarried) return
    const {pid} = runtime
    const look = async (): Promise<void> => {
      if (runtime.pid === pid)
        await (await import('./uncarried-ports.ts')).notePorts(runtime, reporter, this.#announced)
    }
    setTimeout(() => void look(), FIRST_LOOK_MS).unref()
  }

  /** Called after the end of an app's process, which may have failed to listen at the port that we have. */
  onEnd(runtime: AppRuntime, exit: Exit, reporter: Reporter): void {
    if (runtime.plan.published === undefined) return
    const {from, to} = runtime.app.lived
    void import('./published-hints.ts').then(({hintAtEnd}) => hintAtEnd(runtime, exit, to - from, reporter))
  }

  /** Accepts a connection that another copy passes on: a process of this run called a port of that copy. */
  async take({app, ends}: PortCaller, socket: Socket, early: Buffer): Promise<void> {
    const port = await this.inner(app)
    port.adopt(socket, ends, early)
  }

  /** The port of an app for calls that another copy passes on. */
  async inner(app: string): Promise<PublishedPort> {
    const {openInner} = await import('./open-published.ts')
    const port = this.#inner.get(app) ?? openInner(this.options, app)
    this.#inner.set(app, port)
    return port
  }

  /** Serves the ports that are bound. */
  serve(): void {
    this.#ports?.serve()
  }

  /** Leaves a port to another run when this one ends. */
  async keepSuccessor(number: number, successor: Socket): Promise<void> {
    const port = this.#ports?.at(number) ?? (await this.#written.begun)?.ports.at(number)
    if (port === undefined) successor.destroy()
    else port.keepSuccessor(successor)
  }

  /** Leaves ports to the copies that wait for them. */
  async handOver(): Promise<void> {
    const written = await this.#written.begun
    await Promise.all([this.#ports, written?.ports].map(async ports => ports?.handOver()))
  }

  /** Frees the ports that none of these apps wants. Called after each edit. */
  async keepOnly(plans: readonly AppPlan[]): Promise<void> {
    await this.#ports?.keepOnly(plans)
    await this.follow()
  }

  /** Listens at the numbers of the template that this copy has others for, once no other copy does. */
  async follow(): Promise<void> {
    // the code is for copies alone
    if (this.options.context.plan.movedPorts?.size) (await this.written()).follow()
  }

  /** The numbers of the template that this copy has others for. */
  async written(): Promise<WrittenPorts> {
    return this.#written.do(async () => {
      const [{WrittenPorts: Written}, {openPublished}] = await Promise.all([
        import('./written-ports.ts'),
        import('./open-published.ts')
      ])
      const apps = (): readonly AppPlan[] => this.options.routes().versions.known.map(({wanted}) => wanted)
      return new Written({...this.options, apps, ports: openPublished(this.options, async () => [])})
    })
  }

  async close(cut?: AbortSignal): Promise<void> {
    const ports = [this.#ports, await this.#written.begun, ...this.#inner.values()]
    await Promise.all(ports.map(async port => port?.close(cut)))
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
