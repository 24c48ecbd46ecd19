import {messageOf, UserError} from '../../model/errors.ts'
import type {Emit} from '../../model/events.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import type {Why} from '../../model/app-state.ts'
import {describeCallCycle} from './call-cycle.ts'
import type {PendingCall} from '../../gateway/admission-queue.ts'
import {systemClock} from '../../platform/clock.ts'
import type {AppRuntime} from '../app-runtime.ts'
import {planChanges} from './plan-diff.ts'
import {Reloads, type ReloadCause} from './reload.ts'
import {Rolling} from './rolling.ts'
import type {Watching} from './watch-apps.ts'
import type {Reporter} from '../../model/reporter.ts'

export interface ChangesOptions {
  readonly plan: Plan
  /** Start of the run, in ms since 1970. */
  readonly since: number
  /** Reads the template again; undefined: edits of the template are ignored. Rejects with a `UserError`. */
  readonly reread: (() => Promise<Plan>) | undefined
  /** The apps with an open sidecar. */
  readonly runtimes: () => readonly AppRuntime[]
  readonly emit: Emit
  readonly reporter: Reporter
  /** Opens ports, sidecar and logs of an app that was added to the template, and starts it. Throws a `UserError`. */
  readonly open: (plan: AppPlan, index: number) => Promise<void>
  readonly close: (runtime: AppRuntime) => Promise<void>
  /** Changes or (undefined) removes the plan of a stopped app. False if no stopped app has the plan `before`. */
  readonly replan: (before: AppPlan, after: AppPlan | undefined) => boolean
  /** After an edit these apps are left out, unless the user starts them. */
  readonly leaveOut: (plans: readonly AppPlan[]) => void
}

/** Handles changes during a run: of app files, of the template, and restarts by the user. */
export class Changes {
  readonly #options: ChangesOptions
  readonly #reloads = new Map<AppRuntime, Reloads>()
  /** For apps with several instances, by id and version. */
  readonly #rolling = new Map<string, Rolling>()
  #plan: Plan
  #watching: Watching<AppRuntime> | undefined
  /** Edits are applied one after the other. */
  #edits: Promise<void> = Promise.resolve()
  #edited = 0
  /** Apps that are restarted, or wait for their turn. */
  readonly #exchanged = new Map<AppRuntime, number>()
  #isOver = false
  /** Ids of apps of inactive profiles that the user has started. */
  readonly #broughtIn = new Set<string>()

  constructor(options: ChangesOptions) {
    this.#options = options
    this.#plan = options.plan
  }

  /** Starts watching, after the start lines are printed. The watcher is loaded only if something is watched. */
  async begin(): Promise<void> {
    const {runtimes, reread, since} = this.#options
    const {apps, leftOut = []} = this.#plan
    const isWatched = [...apps, ...leftOut].some(({watch}) => watch.paths.length > 0)
    if (this.#isOver || (!isWatched && reread === undefined)) return
    const {Watching} = await import('./watch-apps.ts')
    this.#watching = new Watching({
      since,
      templateFiles: filesOf(reread === undefined ? {...this.#plan, apps: []} : this.#plan),
      reload: (runtime, files) => {
        const isDone = runtime.plan.watch.untilFinished === true && runtime.app.state.phase === 'exited'
        if (!runtime.isDebugged && !isDone) void this.#exchange(runtime, 'watch', {files})
      },
      reporter: this.#options.reporter
    })
    await Promise.all([
      ...runtimes().map(async runtime => this.#watching?.add(runtime)),
      this.#followTemplate(this.#plan, since)
    ])
    if (this.#isOver) await this.#watching.close()
  }

  /**
   * Restarts apps on request of the user; settles when the new processes have started, or failed. Instances of one app
   * restart one after the other, each when the previous one is ready.
   */
  async restart(runtimes: readonly AppRuntime[]): Promise<void> {
    await Promise.all(runtimes.map(async runtime => this.#restart(runtime)))
  }

  /** Stops an app's process so that the user can start it in a debugger; settles when it has exited. */
  async handOver(runtime: AppRuntime): Promise<void> {
    await this.#reloadsOf(runtime).ask('user', {isDebugged: true})
  }

  /** Takes an app back from the debugger and starts it here. */
  async takeBack(runtime: AppRuntime): Promise<void> {
    await this.#restart(runtime, {isDebugged: false})
  }

  async #restart(runtime: AppRuntime, change?: ReloadCause): Promise<void> {
    this.#watching?.lift(runtime)
    const begun = Promise.withResolvers<void>()
    const off = runtime.onMove(() => {
      if (runtime.app.state.phase === 'starting') begun.resolve()
    })
    const exchange =
      change === undefined ? this.#exchange(runtime, 'user') : this.#reloadsOf(runtime).ask('user', change)
    await (this.#isOneOfSeveral(runtime) ? exchange : Promise.race([begun.promise, exchange]))
    off()
  }

  /** A saved file of the app, or a request, is being acted on, or is about to be. */
  isChanging(runtime: AppRuntime): boolean {
    const isWaiting = this.#exchanged.has(runtime) || this.#watching?.isPending(runtime) === true
    return !this.#isOver && (isWaiting || this.#reloads.get(runtime)?.isRunning === true)
  }

  /** An edit of the template is being acted on, or is about to be. */
  get isTemplateChanging(): boolean {
    return !this.#isOver && (this.#edited > 0 || this.#watching?.isTemplatePending === true)
  }

  /** Follows the files of an app that has joined the run. Call it when the app is open. */
  join(runtime: AppRuntime): void {
    void this.#watching?.add(runtime)
  }

  /** An app that was left out has been started: from now on edits of the template change it. */
  broughtIn({id}: AppPlan): void {
    this.#broughtIn.add(id)
    this.#plan = withBroughtIn(this.#plan, this.#broughtIn)
  }

  /** The app leaves the run: it is no longer restarted. */
  leave(runtime: AppRuntime): void {
    this.#reloads.get(runtime)?.end()
    void this.#watching?.remove(runtime)
  }

  /** The run is stopping: nothing is restarted from now on. */
  end(): void {
    this.#isOver = true
    for (const reloads of this.#reloads.values()) reloads.end()
    void this.#watching?.close()
  }

  /** Extra text for the error of a call that timed out in an app's queue. */
  callCycle(callee: string, {caller}: PendingCall): string {
    const callers = new Map<string, Set<string>>()
    for (const {id, queue} of this.#options.runtimes()) {
      const known = callers.get(id) ?? new Set()
      for (const pendingCall of [...queue.inFlight.keys(), ...queue.held]) known.add(pendingCall.caller)
      callers.set(id, known)
    }
    return describeCallCycle(caller, callee, callers)
  }

  /** Replaces the process of an app, or of an instance when it is its turn. */
  async #exchange(runtime: AppRuntime, why: Why, cause?: ReloadCause): Promise<void> {
    this.#exchanged.set(runtime, (this.#exchanged.get(runtime) ?? 0) + 1)
    try {
      await this.#exchangeInTurn(runtime, async () => this.#reloadsOf(runtime).ask(why, cause))
    } finally {
      const left = (this.#exchanged.get(runtime) ?? 1) - 1
      if (left === 0) this.#exchanged.delete(runtime)
      else this.#exchanged.set(runtime, left)
    }
  }

  async #exchangeInTurn(runtime: AppRuntime, exchange: () => Promise<void>): Promise<void> {
    if (!this.#isOneOfSeveral(runtime)) return exchange()
    const key = JSON.stringify([runtime.id, runtime.plan.version])
    const rolling = this.#rolling.get(key) ?? new Rolling((down, left) => this.#reportStopped(down, left))
    this.#rolling.set(key, rolling)
    await rolling.take(runtime, exchange)
  }

  #isOneOfSeveral({id, plan: {version}}: AppRuntime): boolean {
    return this.#options.runtimes().filter(each => each.id === id && each.plan.version === version).length > 1
  }

  #reportStopped(down: AppRuntime, left: readonly AppRuntime[]): void {
    const names = left.map(({name}) => `"${name}"`).join(', ')
    const text = `"${down.name}" did not become ready: ${names} ${left.length === 1 ? 'keeps its process' : 'keep their processes'}`
    if (!this.#isOver) this.#options.reporter.warn('reload-failed', text)
  }

  #reloadsOf(runtime: AppRuntime): Reloads {
    const reloads =
      this.#reloads.get(runtime) ??
      new Reloads({
        runtime,
        reloaded: what => this.#options.emit({type: 'reloaded', ...what}),
        reporter: this.#options.reporter,
        callCycle: pendingCall => this.callCycle(runtime.id, pendingCall)
      })
    this.#reloads.set(runtime, reloads)
    if (this.#isOver) reloads.end()
    return reloads
  }

  /** Files saved after `since` count as changed. */
  async #followTemplate(plan: Plan, since: number): Promise<void> {
    if (this.#options.reread === undefined || this.#isOver) return
    await this.#watching?.followTemplate(filesOf(plan), since, () => {
      this.#edited++
      this.#edits = this.#edits
        .then(async () => this.#edit())
        .catch((error: unknown) => this.#warn(`cannot apply the edit of the template: ${messageOf(error)}`))
        .finally(() => this.#edited--)
    })
  }

  async #edit(): Promise<void> {
    const since = systemClock.date()
    const reread = await this.#reread()
    if (reread === undefined || this.#isOver) return
    const after = withBroughtIn(reread, this.#broughtIn)
    this.#options.leaveOut(after.leftOut ?? [])
    const before = this.#plan
    this.#plan = after
    const {added, removed, changed} = planChanges(before, after)
    // an app that the user has stopped stays stopped, even if its sidecar has to change
    const wanted = added.filter(
      ({plan}) => !removed.some(old => isSameApp(old, plan) && this.#options.replan(old, plan))
    )
    await Promise.all([
      ...removed.map(async plan => this.#remove(plan)),
      ...changed.map(async ({before: old, after: plan}) => this.#change(old, plan))
    ])
    for (const {plan, index} of wanted) await this.#add(plan, index)
    await this.#followTemplate(after, since)
  }

  /** The new plan; undefined, after a warning, if the template has a mistake. */
  async #reread(): Promise<Plan | undefined> {
    try {
      return await this.#options.reread?.()
    } catch (error) {
      const where = error instanceof UserError && error.explanation !== '' ? `\n${error.explanation}` : ''
      this.#warn(`the edited template has a mistake, so nothing was changed: ${messageOf(error)}${where}`)
      return undefined
    }
  }

  async #remove(plan: AppPlan): Promise<void> {
    if (this.#options.replan(plan, undefined)) return
    const runtime = this.#runtimeOf(plan)
    if (runtime !== undefined) await this.#options.close(runtime)
  }

  async #change(before: AppPlan, after: AppPlan): Promise<void> {
    if (this.#options.replan(before, after)) return
    const runtime = this.#runtimeOf(before)
    if (runtime === undefined) return this.#add(after, this.#plan.apps.indexOf(after))
    await this.#watching?.remove(runtime)
    await this.#exchange(runtime, 'watch', {plan: after})
    if (!this.#isOver) await this.#watching?.add(runtime)
  }

  async #add(plan: AppPlan, index: number): Promise<void> {
    if (this.#isOver) return
    try {
      await this.#options.open(plan, index)
    } catch (error) {
      const apps = this.#plan.apps.filter(app => app !== plan)
      this.#plan = {...this.#plan, apps} // so that the next save tries again
      if (!(error instanceof UserError)) throw error
      return this.#warn(`${error.message}${error.explanation === '' ? '' : `\n${error.explanation}`}`)
    }
    const runtime = this.#runtimeOf(plan)
    if (runtime !== undefined) await this.#watching?.add(runtime)
  }

  #runtimeOf(plan: AppPlan): AppRuntime | undefined {
    return this.#options.runtimes().find(runtime => runtime.plan === plan)
  }

  #warn(text: string): void {
    this.#options.reporter.warn('template-edit-failed', text)
  }
}

/** The plan with the left-out apps of these ids among its apps: the user has started them. */
const withBroughtIn = (plan: Plan, ids: ReadonlySet<string>): Plan => {
  const {apps, leftOut = []} = plan
  const isIn = ({id}: AppPlan): boolean => ids.has(id)
  return {...plan, apps: [...apps, ...leftOut.filter(isIn)], leftOut: leftOut.filter(app => !isIn(app))}
}

const isSameApp = (a: AppPlan, b: AppPlan): boolean =>
  a.id === b.id && a.version === b.version && a.instance === b.instance

/** The files that a plan was read from. */
const filesOf = ({file, overlays = [], apps}: Plan): readonly string[] => [
  file,
  ...overlays,
  ...new Set(apps.flatMap(({envFiles}) => envFiles))
]
