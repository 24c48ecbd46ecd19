import type {RunContext} from '../run-context.ts'
import {whyLeftOut, whyStopped} from '../../proxy/gateway/unknown-app.ts'
import {UserError} from '../../model/errors.ts'
import {succeeded, type AppState} from '../../model/app-state.ts'
import type {AppPlan} from '../../model/plan.ts'
import {releasePorts} from '../../proxy/ports/claim-all.ts'
import {claimPorts, type SidecarPorts} from '../../proxy/ports/claim.ts'
import type {OpenSidecar, SidecarServers} from '../../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {StartOrder} from '../../supervisor/order/start-order.ts'
import type {Starter} from '../../supervisor/owner/next-step.ts'
import {planKey} from '../edits/plan-facts.ts'
import type {RunPublished} from '../run-published.ts'
import type {AppCloser} from './close-app.ts'
import type {AppRuntimes, OpenRequest} from './create-app-runtimes.ts'
import {Stages, type Stage} from '../stages.ts'

export interface AppsOptions extends Pick<RunContext, 'plan' | 'lifetime'> {
  readonly runtimes: AppRuntimes
  readonly starts: StartOrder
  readonly closer: AppCloser
  readonly published: RunPublished
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
  /** Opens the sidecar of an app, which then receives calls. */
  readonly openSidecar: (runtime: AppRuntime) => Promise<void>
  /** Called before an app is opened. The built-in Redis frees the port that the app listens at. */
  readonly freePortFor: (plan: AppPlan) => Promise<void>
  /** Whether an app has called another one, by their ids. */
  readonly calls: (caller: string, callee: string) => boolean
  /** Called when the last app of an id has left the run for good. */
  readonly removed: (id: string) => void
  /** Called when an app joins the run, before its sidecar opens. */
  readonly joins: (runtime: AppRuntime) => void
  /** Called when an edit has set which apps are left out. */
  readonly leavesOut: (plans: readonly AppPlan[]) => Promise<void>
  /** Called with all apps, closed ones included, when their order has changed or one leaves for good. */
  readonly arranged: (all: readonly AppRuntime[]) => void
  /** Whether an app is the main version of its id, not a shadow that receives copies of calls. */
  readonly isMain: (runtime: AppRuntime) => boolean
  /** Stops the run; settles when nothing of it is left. */
  readonly end: () => Promise<void>
}

/** The apps of a run, each with an open sidecar or stopped. Opens, closes and removes them at the start, for commands of the user, and for edits. */
export class Apps {
  readonly #options: AppsOptions
  #all: readonly AppRuntime[] = []
  /** Apps of inactive profiles, which open nothing until the user starts them. */
  #leftOut: readonly AppPlan[]
  /** Apps whose ports and sidecars are being opened, by the promise of that. */
  readonly #halfOpen = new Map<Promise<unknown>, AppPlan>()
  /** The latest work of `inTurn`. Settles when no command or edit opens or removes an app. */
  #turn: Promise<unknown> = Promise.resolve()
  /** While it has entries, the run does not end by itself. */
  readonly #holds = new Set<Promise<void>>()
  /** Plans of the apps that an edit opens. Edits are applied one after the other. */
  #next: readonly AppPlan[] = []
  /** Removed apps at which calls wait for another app of their id, which the edit opens. */
  #replaced: readonly AppRuntime[] = []
  /** Ids of apps that could not be opened. Their dependents do not start. */
  failedIds: readonly string[] = []
  /** Ids of apps of inactive profiles that the user has started. From then on edits change them, and start their other instances. */
  readonly broughtIn = new Set<string>()
  /** Listening servers of sidecars that an edit opens again. */
  readonly #kept = new Map<AppRuntime, SidecarServers>()

  constructor(options: AppsOptions) {
    this.#options = options
    this.#leftOut = options.plan.leftOut ?? []
  }

  /** The apps in the order of the template. */
  get all(): readonly AppRuntime[] {
    return this.#all
  }

  /** The apps with an open sidecar. */
  get open(): readonly AppRuntime[] {
    return this.#all.filter(runtime => this.#options.sidecars.has(runtime))
  }

  /** Returns all instances of an id, or one by its number: `name.1`. */
  named(name: string): readonly AppRuntime[] {
    return this.#all.filter(runtime => runtime.isCalled(name))
  }

  /** Whether the user has stopped all existing instances of a plan's app. */
  isWhollyStopped({id, version}: AppPlan): boolean {
    const instances = this.#all.filter(({plan}) => plan.id === id && plan.version === version)
    return instances.length > 0 && instances.every(({isStopped}) => isStopped)
  }

  /** Explains why calls to this id fail if the user has stopped its apps; '' otherwise. */
  whyStopped(id: string): string {
    const own = this.#all.filter(runtime => runtime.id === id)
    if (own.some(({isStopped}) => isStopped)) return whyStopped(id)
    const [leftOut] = own.length === 0 ? this.leftOut(id) : []
    return leftOut === undefined ? '' : whyLeftOut(id, leftOut.profiles ?? [])
  }

  /** The apps with this id, or all apps, that belong to inactive profiles and have not been started. */
  leftOut(id?: string): readonly AppPlan[] {
    return this.#leftOut.filter(plan => id === undefined || plan.id === id)
  }

  /** Sets which apps are left out, after an edit of the template. */
  async leaveOut(plans: readonly AppPlan[]): Promise<void> {
    this.#leftOut = plans
    await this.#options.leavesOut(plans)
  }

  /** Opens and starts an app that was left out, unless another caller has opened it, or the run ends. Throws a UserError. */
  async bringIn(plan: AppPlan, person?: Starter): Promise<void> {
    const opened = await this.inTurn(async () => {
      const leftOut = this.#leftOut.find(each => planKey(each) === planKey(plan))
      if (leftOut === undefined) return undefined
      const runtime = await this.#open(leftOut, this.#all.length, {person})
      this.#leftOut = this.#leftOut.filter(each => each !== leftOut)
      this.broughtIn.add(leftOut.id)
      return runtime
    })
    if (opened !== undefined) await this.#options.starts.late(opened)
  }

  /** Whether no app was given up, and each exited app has succeeded or was asked to exit. */
  get areAllWell(): boolean {
    return this.#all.every(({isStopped, isGivenUp, app}) => isStopped || (!isGivenUp && hasEndedWell(app.state)))
  }

  /** Settles when all apps have exited, and none will be restarted, opened again, or added by an edit. */
  async ended(): Promise<void> {
    do {
      await Promise.all(this.#all.map(async ({ended}) => ended()))
      await Promise.allSettled([...this.#holds, this.#turn])
      await new Promise(setImmediate) // a process that is being replaced has no successor yet
    } while (this.#holds.size > 0 || !this.#all.every(({hasEnded}) => hasEnded))
  }

  /** Keeps the run from ending by itself until the returned function is called. */
  hold(): () => void {
    const {promise, resolve} = Promise.withResolvers<void>()
    this.#holds.add(promise)
    return () => {
      this.#holds.delete(promise)
      resolve()
    }
  }

  /** Called when the edit has opened its apps. Calls that still wait at a removed app ask another version, or fail. */
  async edited(): Promise<void> {
    this.#next = []
    this.#release(() => true)
    for (const runtime of this.#all) if (runtime.isBetweenOpenings) runtime.refuseCalls() // the run ended before the app was open
    for (const servers of this.#kept.values()) releasePorts(servers) // of apps that were not opened again
    this.#kept.clear()
    await this.#freePublished()
  }

  /** Lets calls that wait at removed apps ask the app that answers for their id now. */
  #release(isReplaced: (runtime: AppRuntime) => boolean): void {
    for (const runtime of this.#replaced.filter(isReplaced)) this.#options.closer.leave(runtime)
    this.#replaced = this.#replaced.filter(runtime => !isReplaced(runtime))
  }

  /** Runs `work` once no other work opens or removes apps. Later work waits until it has settled. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Settles when the edits and commands that open or remove apps are done. */
  async settled(): Promise<void> {
    await this.#turn
  }

  /** Opens the apps of the plan at the start of the run. */
  async openAll(ports: readonly SidecarPorts[]): Promise<void> {
    this.#all = await this.#options.runtimes.all(ports)
    for (const runtime of this.#all) this.#options.joins(runtime)
    await Promise.all(this.#all.map(async runtime => this.#options.openSidecar(runtime)))
  }

  /** Returns the app with the id, version and instance of a plan, even a stopped one. */
  readonly find = (plan: AppPlan): AppRuntime | undefined =>
    this.#all.find(runtime => planKey(runtime.wanted) === planKey(plan))

  /** Adds an app that was deployed. Settles when it has started, or waits for others. Throws a UserError. */
  async add(plan: AppPlan): Promise<void> {
    const {id, version} = plan
    const runtime = await this.inTurn(async () => {
      const others = [...this.#all.map(each => each.plan), ...this.#leftOut]
      // the added app would count as another instance of that app, and be removed with it
      if (others.some(each => each.id === id && each.version === version))
        throw new UserError(`the template has an app ${id} of version ${version}`)
      return this.#open(plan, this.#all.length, {})
    })
    if (runtime === undefined) throw new UserError('the run is stopping')
    await this.begin(runtime)
  }

  /** Removes an app from the run for good. Another version of its id answers from now on. */
  async remove(runtime: AppRuntime): Promise<void> {
    runtime.leaves = true
    this.#arranged()
    try {
      await this.#options.closer.close(runtime)
    } finally {
      this.#all = this.#all.filter(each => each !== runtime)
      runtime.isStopped = false
    }
    if (this.#next.some(({id}) => id === runtime.id)) this.#replaced = [...this.#replaced, runtime]
    else this.#options.closer.leave(runtime)
    if (!this.#all.some(({id}) => id === runtime.id)) this.#options.removed(runtime.id)
    await this.#freePublished()
  }

  /** Removes all instances of one version, after the edits and commands that open or remove apps. */
  async removeVersion(id: string, version: string): Promise<void> {
    await this.inTurn(async () => {
      const instances = this.#all.filter(({plan}) => plan.id === id && plan.version === version)
      await Promise.all(instances.map(async runtime => this.remove(runtime)))
    })
  }

  /** Stops apps, callers first. The edit opens them again by the plans `next`, or they are removed next. */
  async closeAll(runtimes: readonly AppRuntime[], next: readonly AppPlan[]): Promise<void> {
    this.#next = next
    const opened = new Set(next.map(planKey))
    // an app that has left the template gets no more calls, even while it drains
    for (const runtime of runtimes) if (!opened.has(planKey(runtime.plan))) runtime.leaves = true
    this.#arranged()
    const {closeForEdit} = await import('../edits/close-for-edit.ts')
    try {
      await closeForEdit(runtimes, next, this.#options, this.#kept)
    } finally {
      await this.#freePublished() // the edit may give its port to another app
    }
  }

  /** Opens a new app for an edit of the template. Undefined if the run ends. */
  async openNew(plan: AppPlan, index: number): Promise<AppRuntime | undefined> {
    // if the user has started an app that `--except` left to them, a new instance starts, too
    const isAskedFor = this.#all.some(({id, isExcepted}) => id === plan.id && !isExcepted)
    return this.#open(plan, index, {person: isAskedFor ? 'none' : undefined})
  }

  /** Starts an app that was opened, as soon as its dependencies allow. */
  readonly begin = async (runtime: AppRuntime): Promise<void> => this.#options.starts.added(runtime)

  /** Sorts the apps by a template. */
  arrange(plans: readonly AppPlan[]): void {
    const places = new Map(plans.map((plan, index) => [planKey(plan), index]))
    const placeOf = ({wanted}: AppRuntime): number => places.get(planKey(wanted)) ?? plans.length
    this.#all = this.#all.toSorted((a, b) => placeOf(a) - placeOf(b))
    this.#arranged()
  }

  #arranged(): void {
    this.#options.arranged(this.#all.filter(({leaves}) => !leaves))
  }

  /** Frees the published ports of apps that are stopped or gone, after their calls. An app that is being opened has its port already. */
  async #freePublished(): Promise<void> {
    const {sidecars, published} = this.#options
    const isThere = (each: AppRuntime): boolean => !each.leaves && (!each.isStopped || sidecars.has(each))
    const plans = this.#all.filter(isThere).map(({wanted}) => wanted)
    await published.keepOnly([...plans, ...this.#next, ...this.#halfOpen.values()])
  }

  /**
   * Stops these apps with their sidecars, shadows first, so that none replaces the main version. The run ends with its last app. Resolves
   * with false if none is left to stop.
   */
  async stop(named: () => readonly AppRuntime[]): Promise<boolean> {
    await this.settled()
    const {isMain, closer, end, sidecars} = this.#options
    const meant = named().filter(runtime => sidecars.has(runtime))
    if (meant.length === 0) return false
    const isLeft = (each: AppRuntime): boolean =>
      each.isStopped ? each.person !== 'stopped' : !meant.includes(each) && !each.hasEnded
    const isLast = (): boolean => this.#halfOpen.size === 0 && !this.#all.some(isLeft)
    const shadows = meant.filter(runtime => !isMain(runtime))
    for (const runtime of meant) noteStop(runtime)
    await Promise.all(shadows.map(async runtime => closer.close(runtime)))
    const left = meant.filter(runtime => !shadows.includes(runtime))
    if (isLast()) await Promise.all(left.map(async runtime => closer.drain(runtime)))
    // another app may have been started meanwhile
    if (isLast()) await end()
    else await Promise.all(left.map(async runtime => closer.close(runtime)))
    await this.#freePublished()
    return true
  }

  /**
   * Opens a closed app again with its ports, unless `signal` is aborted before its turn, or the run ends. Starts the app, too, if the user had
   * stopped it. An edit, which calls this within its turn, starts its apps once all are open. Rejects with a UserError if a fixed port of the template is taken.
   */
  readonly reopen = async (closed: AppRuntime, signal: AbortSignal): Promise<void> => {
    const open = async (): Promise<AppRuntime | undefined> =>
      signal.aborted ? undefined : this.#open(closed.wanted, this.#all.indexOf(closed), {previous: closed})
    if (closed.closing === 'opens') return void (await open())
    const opened = await this.inTurn(open)
    if (opened !== undefined) await this.#options.starts.late(opened)
  }

  /** Settles when no app is being opened. The end of the run waits for that, as it would leave the app half open. */
  async opened(): Promise<void> {
    await Promise.allSettled(this.#halfOpen.keys())
  }

  /** Claims the ports of an app and opens its sidecar. Resolves with undefined if the run ends. */
  async #open(plan: AppPlan, index: number, request: OpenRequest): Promise<AppRuntime | undefined> {
    const opened = this.#claimAndOpen(plan, index, request)
    this.#halfOpen.set(opened, plan)
    try {
      return await opened
    } finally {
      this.#halfOpen.delete(opened)
      await this.#freePublished() // clients would wait for ever at the port of an app that could not be opened
    }
  }

  async #claimAndOpen(plan: AppPlan, index: number, request: OpenRequest): Promise<AppRuntime | undefined> {
    const {previous} = request
    const {runtimes, joins, openSidecar, published, lifetime} = this.#options
    let ports: SidecarPorts | undefined
    let runtime: AppRuntime | undefined
    const stages = new Stages()
    const parts: readonly Stage[] = [
      {
        name: 'ports',
        start: async () => void (ports = await this.#claim(plan, previous)),
        stop: () => ports && releasePorts(ports)
      },
      {
        name: plan.id,
        start: async () => {
          if (previous === undefined) {
            runtime = await runtimes.one(plan, ports, index, request.person)
            this.#all = this.#all.toSpliced(index, 0, runtime)
          } else {
            await runtimes.again(previous, plan, ports, index)
            runtime = previous
          }
          joins(runtime)
          this.#release(({id}) => id === plan.id)
          this.#arranged()
          await openSidecar(runtime)
          published.serve()
        },
        stop: async () => runtime && this.#withdraw(runtime, previous !== undefined)
      }
    ]
    if ((await stages.start(parts, lifetime.stopRequested)) && !lifetime.isOver && runtime !== undefined) return runtime
    await stages.stop(AbortSignal.abort())
    return undefined
  }

  /** Claims the ports of an app. `previous`: the app that is opened again; it keeps its ports unless the plan sets others. */
  async #claim(plan: AppPlan, previous: AppRuntime | undefined): Promise<SidecarPorts | undefined> {
    const {published, freePortFor, plan: whole} = this.#options
    const served = this.open.flatMap(each => (each.isStopped ? [] : each.plan))
    await published.claim([plan], served)
    await freePortFor(plan)
    const kept = previous && this.#kept.get(previous)
    const hasSamePorts = previous && (await import('../edits/close-for-edit.ts')).hasSamePorts(previous.plan, plan)
    if (previous !== undefined) this.#kept.delete(previous)
    const wanted = hasSamePorts ? () => previous.ports : undefined
    const others = this.#all.filter(each => each !== previous)
    const alone = {...whole, apps: [plan], leftOut: this.#leftOut}
    const [ports] = await claimPorts(alone, {wanted, kept, others})
    return ports
  }

  /** Undoes a start that has failed or was cancelled: the app is stopped again, or removed if it is new. */
  async #withdraw(runtime: AppRuntime, wasStopped: boolean): Promise<void> {
    if (!wasStopped) return this.remove(runtime)
    noteStop(runtime)
    await this.#options.closer.close(runtime)
  }
}

const hasEndedWell = (state: AppState): boolean => state.phase === 'exited' && (state.asked || succeeded(state.exit))

/** Notes that the user has stopped an app, which is closed next. */
function noteStop(runtime: AppRuntime): void {
  runtime.person = 'stopped'
  runtime.request = 'no'
  runtime.isStopped = true
}
