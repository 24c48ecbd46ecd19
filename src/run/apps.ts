import type {AppPlan, Plan} from '../model/plan.ts'
import {releasePorts, nameOwner} from '../ports/claim-all.ts'
import {claimPorts, type SidecarPorts} from '../ports/claim.ts'
import type {OpenSidecar} from '../sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {StartOrder} from '../supervisor/order/start-order.ts'
import type {AppCloser} from './close-app.ts'
import type {AppRuntimes} from './create-app-runtimes.ts'
import {Stages, type Stage} from './stages.ts'

export interface AppsOptions {
  readonly plan: Plan
  readonly runtimes: AppRuntimes
  readonly starts: StartOrder
  readonly closer: AppCloser
  /** The open ones. */
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
  /** Opens the sidecar of an app, which takes calls from now on. */
  readonly openSidecar: (runtime: AppRuntime) => Promise<void>
  /** It is one of the run from now on. */
  readonly joins: (runtime: AppRuntime) => void
  /** It answers for its id, and is no version that gets copies of its calls. */
  readonly isMain: (runtime: AppRuntime) => boolean
  /** Aborted when the run is to end. */
  readonly asked: AbortSignal
  /** The run is about to end, or has ended. */
  readonly isOver: () => boolean
  /** Ends the run; settles when nothing of it is left. */
  readonly end: () => Promise<void>
}

/** How an app comes, other than at its place in the template. */
interface Opening {
  /** Instead of this one, with its ports and at its place. */
  readonly previous?: AppRuntime
  readonly isDebugged?: boolean
}

/** The apps of a run: those with an open sidecar, and those that somebody has stopped and may start again. */
export class Apps {
  readonly #options: AppsOptions
  #all: readonly AppRuntime[] = []
  /** With the plans by which they are started again. */
  readonly #stopped = new Map<AppRuntime, AppPlan>()
  /** Stopped ones that are coming back. */
  readonly #opening = new Map<AppRuntime, Promise<AppRuntime>>()

  constructor(options: AppsOptions) {
    this.#options = options
  }

  /** In the order of the template. */
  get all(): readonly AppRuntime[] {
    return this.#all
  }

  /** Those whose sidecar is open. */
  get open(): readonly AppRuntime[] {
    return this.#all.filter(runtime => this.#options.sidecars.has(runtime))
  }

  /** By an id all its instances, or one of them by its number: `name.1`. */
  named(name: string): readonly AppRuntime[] {
    return this.#all.filter(runtime => runtime.isCalled(name))
  }

  isStopped(runtime: AppRuntime): boolean {
    return this.#stopped.has(runtime)
  }

  /** Somebody has stopped all apps with this id: why calls to it fail; '' where that is not so. */
  whyStopped(id: string): string {
    const isStopped = this.#all.some(runtime => runtime.id === id && this.#stopped.has(runtime))
    return isStopped ? `[stopped by "pillion stop"; "pillion start ${id}" brings it back]` : ''
  }

  /** Settles when no app runs, nor is started again. */
  async ended(): Promise<void> {
    do {
      await Promise.all(this.#all.map(async ({app}) => app.ended))
      await Promise.allSettled(this.#opening.values())
      await new Promise(setImmediate) // one that is being exchanged is not there yet
    } while (this.#opening.size > 0 || !this.#all.every(({hasEnded}) => hasEnded))
  }

  /** The apps of the plan, at its start. */
  async openAll(ports: readonly SidecarPorts[]): Promise<void> {
    this.#all = await this.#options.runtimes.all(ports)
    for (const runtime of this.#all) this.#options.joins(runtime)
    await Promise.all(this.#all.map(async runtime => this.#options.openSidecar(runtime)))
  }

  /** An app that has come to the template. Settles when it has been started, or waits for others. Throws a UserError. */
  async add(plan: AppPlan, index: number): Promise<void> {
    const runtime = await this.#open(plan, index, {})
    if (runtime !== undefined) await this.#options.starts.late(runtime)
  }

  /** An app leaves the run for good. */
  async remove(runtime: AppRuntime): Promise<void> {
    await this.#options.closer.close(runtime)
    this.#all = this.#all.filter(each => each !== runtime)
    this.#stopped.delete(runtime)
  }

  /** The template has another plan for an app that is stopped, or undefined: none any more. False: no stopped one has the plan. */
  replan(before: AppPlan, after: AppPlan | undefined): boolean {
    const runtime = [...this.#stopped.keys()].find(each => this.#stopped.get(each) === before)
    if (runtime === undefined) return false
    if (after === undefined) void this.remove(runtime)
    else this.#stopped.set(runtime, after)
    return true
  }

  /**
   * Ends apps by an id, or one instance by its name, and their sidecars; shadows before the main version: none of them is to
   * answer in its place. With the last app that has not ended, the run ends. False: there is none, or it is stopped already.
   */
  async stop(name: string): Promise<boolean> {
    const {isMain, closer, end} = this.#options
    const meant = this.open.filter(runtime => runtime.isCalled(name))
    if (meant.length === 0) return false
    const isLast = this.#all.every(each => meant.includes(each) || each.hasEnded || this.#stopped.has(each))
    const shadows = meant.filter(runtime => !isMain(runtime))
    for (const runtime of meant) this.#stopped.set(runtime, this.#stopped.get(runtime) ?? runtime.plan)
    await this.#closeAll(shadows)
    const left = meant.filter(runtime => !shadows.includes(runtime))
    if (isLast) {
      await Promise.all(left.map(async runtime => closer.drain(runtime)))
      await end()
    } else await this.#closeAll(left)
    return true
  }

  /**
   * A stopped app comes back with its ports; the caller has it started. Settles when its sidecar is open, with the old one
   * should the run end meanwhile. Throws a UserError where a port that the template fixes is taken by now.
   */
  async reopen(stopped: AppRuntime, isDebugged: boolean): Promise<AppRuntime> {
    const opening = this.#opening.get(stopped) ?? this.#reopen(stopped, isDebugged)
    this.#opening.set(stopped, opening)
    try {
      return await opening
    } finally {
      this.#opening.delete(stopped)
    }
  }

  async #reopen(stopped: AppRuntime, isDebugged: boolean): Promise<AppRuntime> {
    await this.#options.closer.close(stopped) // it may be about to
    const plan = this.#stopped.get(stopped)
    const index = this.#all.indexOf(stopped)
    if (plan === undefined || index < 0) return stopped
    return (await this.#open(plan, index, {previous: stopped, isDebugged})) ?? stopped
  }

  /** Claims its ports and opens its sidecar; undefined: the run ends. */
  async #open(plan: AppPlan, index: number, {previous, isDebugged}: Opening): Promise<AppRuntime | undefined> {
    const {runtimes, closer, joins, openSidecar, asked, isOver} = this.#options
    let ports: SidecarPorts | undefined
    let runtime: AppRuntime | undefined
    const stages = new Stages()
    const parts: readonly Stage[] = [
      {
        name: 'ports',
        start: async () => {
          ;[ports] = await claimPorts(
            {...this.#options.plan, apps: [plan]},
            nameOwner,
            previous && (() => previous.ports)
          )
        },
        stop: () => ports && releasePorts(ports)
      },
      {
        name: plan.id,
        start: async () => {
          runtime = await runtimes.one(plan, ports, index, {previous, isDebugged})
          const at = previous === undefined ? index : this.#all.indexOf(previous)
          this.#all = this.#all.toSpliced(at, previous === undefined ? 0 : 1, runtime)
          if (previous !== undefined) this.#stopped.delete(previous)
          joins(runtime)
          await openSidecar(runtime)
        },
        stop: async () => runtime && closer.close(runtime)
      }
    ]
    if ((await stages.start(parts, asked)) && !isOver() && runtime !== undefined) return runtime
    await stages.stop(AbortSignal.abort())
    return undefined
  }

  async #closeAll(runtimes: readonly AppRuntime[]): Promise<void> {
    await Promise.all(runtimes.map(async runtime => this.#options.closer.close(runtime)))
  }
}
