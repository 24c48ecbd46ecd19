import type {IncomingHttpHeaders} from 'node:http'
import type {Socket} from 'node:net'
import {loadHookText} from '#daeploy'
import type {Exit} from '../model/app-state.ts'
import type {Environment} from '../model/environment.ts'
import {TO_OWN_COPY} from '../model/app-name.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter, TellingReporter} from '../model/reporter.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {PortCaller, PublishedPort} from '../proxy/published/published-port.ts'
import type {PublishedPorts} from '../proxy/published/published-ports.ts'
import type {RunPublishedOptions} from './open-published.ts'
import type {RunContext} from './run-context.ts'
import type {withPortHooks as WithPortHooks} from './port-hooks.ts'

/** Time after the start of a process at which its ports are read. */
const FIRST_LOOK_MS = 5000

/** The ports at which apps of a run are called without Dapr's API; loaded if a template has any. */
export class RunPublished {
  readonly options: RunPublishedOptions
  #ports: PublishedPorts | undefined
  /** The ports for calls that other copies pass on, by app. */
  readonly #inner = new Map<string, PublishedPort>()
  #withHooks: typeof WithPortHooks | undefined
  #python = ''
  /** Ids of apps that listen at a port which the template does not name. */
  readonly #announced = new Set<string>()

  constructor(context: RunContext, options: Omit<RunPublishedOptions, 'context'>) {
    this.options = {...options, context}
  }

  /** Binds the published ports of these apps, which `others` do not have. Throws a `UserError` if one is taken. */
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

  /** Called when a process of an app has ended: it may have failed to listen at the port that we hold. */
  onEnd(runtime: AppRuntime, exit: Exit, reporter: Reporter): void {
    if (runtime.plan.published === undefined) return
    const {from, to} = runtime.app.lived
    void import('./published-hints.ts').then(({hintAtEnd}) => hintAtEnd(runtime, exit, to - from, reporter))
  }

  /** Takes a connection that another copy passes on by an upgrade with these headers: a process of this run called a number of that copy. */
  async take(headers: IncomingHttpHeaders, socket: Socket, early: Buffer): Promise<void> {
    const [{openInner}, {passedCaller}] = await Promise.all([
      import('./open-published.ts'),
      import('../proxy/published/pass-on.ts')
    ])
    const caller = passedCaller(headers, TO_OWN_COPY)
    if (caller === undefined) return void socket.destroy()
    const {app, ends} = caller as PortCaller
    const port = this.#inner.get(app) ?? openInner(this.options, app)
    this.#inner.set(app, port)
    port.adopt(socket, ends, early)
  }

  /** Serves the ports that are bound. */
  serve(): void {
    this.#ports?.serve()
  }

  /** Frees the ports that none of these apps wants. */
  async keepOnly(plans: readonly AppPlan[]): Promise<void> {
    await this.#ports?.keepOnly(plans)
  }

  async close(cut?: AbortSignal): Promise<void> {
    await Promise.all([this.#ports, ...this.#inner.values()].map(async port => port?.close(cut)))
  }
}
