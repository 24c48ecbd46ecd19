import type {Emit} from '../../model/events.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import {exitOf, type Exit, succeeded, type Why} from '../../model/app-state.ts'
import {describeCallCycle} from './call-cycle.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'
import {systemClock} from '../../platform/clock.ts'
import type {AppRuntime} from '../app-runtime.ts'
import type {FinishWork} from './overlap.ts'
import {Reloads} from './reload.ts'
import {Rolling} from './rolling.ts'
import {filesOf} from './plan-facts.ts'
import type {EditedApps, TemplateEdits} from './template-edits.ts'
import type {OnFiles, Watching} from './watch-apps.ts'
import type {Hint, Reporter} from '../../model/reporter.ts'

export interface ChangesOptions {
  readonly plan: Plan
  /** Start of the run, in ms since 1970. */
  readonly since: number
  /** Reads the template again; undefined: edits of the template are ignored. Rejects with a `UserError`. */
  readonly reread: (() => Promise<Plan>) | undefined
  /** Warnings about the template that were not given yet. */
  readonly hints?: (() => readonly Hint[]) | undefined
  /** The apps with an open sidecar. */
  readonly runtimes: () => readonly AppRuntime[]
  /** Deactivates the actors that the app's process hosts now. */
  readonly letGo: (runtime: AppRuntime) => FinishWork
  /** How long that may take, in ms, if longer than the app's grace period. */
  readonly letGoMs: (runtime: AppRuntime) => number
  /** The app's process goes on with the actors that it hosts. */
  readonly keepHosted: (runtime: AppRuntime) => void
  /** Waits until the app's current workers have finished their tasks. */
  readonly finishWork: (runtime: AppRuntime) => FinishWork
  /** Gives work to the remaining workers again. */
  readonly resumeWork: (runtime: AppRuntime) => void
  readonly emit: Emit
  readonly reporter: Reporter
  /** Called when an edit of the template is in effect. */
  readonly onEdited?: (() => void) | undefined
  /** All apps of the run, for edits of the template. */
  readonly apps: () => EditedApps
}

/** Handles changes during a run: of app files, of the template, and restarts by the user. */
export class Changes {
  readonly #options: ChangesOptions
  readonly #reloads = new Map<AppRuntime, Reloads>()
  /** The rolling restarts of apps with several instances, by id and version. */
  readonly #rolling = new Map<string, Rolling>()
  /** Ids of apps whose callers use their `appPort`. */
  readonly #direct = new Set<string>()
  /** Edits of the template; loaded with the watcher. */
  #edits: TemplateEdits | undefined
  /** Plans of apps that had joined the run before the edits were loaded. */
  #broughtIn: readonly AppPlan[] = []
  #watching: Watching<AppRuntime> | undefined
  /** Apps that have joined the run and not left it. */
  readonly #joined = new Set<AppRuntime>()
  /** Apps that are being restarted or wait for their turn, with the number of requests. */
  readonly #exchanged = new Map<AppRuntime, number>()
  readonly #over = new AbortController()

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted
  }

  /** Starts watching, after the start lines are printed. The watcher is loaded only if something is watched. */
  async begin(): Promise<void> {
    const {plan, reread, since} = this.#options
    const {apps, leftOut = []} = plan
    const isWatched = [...apps, ...leftOut].some(({watch}) => watch.paths.length > 0)
    if (this.#isOver || (!isWatched && reread === undefined)) return
    const [{Watching}, {TemplateEdits: Edits}] = await Promise.all([
      import('./watch-apps.ts'),
      import('./template-edits.ts')
    ])
    if (this.#isOver) return
    if (reread !== undefined) this.#beginEdits(Edits, reread)
    // other files may be files of apps, too
    const templateFiles = reread === undefined ? [plan.file, ...(plan.overlays ?? [])] : filesOf(plan)
    this.#watching = new Watching(templateFiles, this.#onFiles, this.#options.reporter)
    await Promise.all([
      // also apps that a command is opening
      ...[...this.#joined].map(async runtime => this.#watching?.follow(runtime, runtime.opening.createdAt)),
      this.#followTemplate(filesOf(plan), since)
    ])
    if (this.#isOver) await this.#watching.close()
  }

  readonly #onFiles: OnFiles<AppRuntime> = (runtime, files) => {
    const {state} = runtime.app
    // an app that was watched without end when it finished waits for files since then
    const isOver = state.phase === 'exited' || (state.phase === 'backoff' && succeeded(state.last))
    const isDone = runtime.plan.watch.untilFinished === true && isOver
    // a sleeping app, and one with a failed dependency, starts later with the saved files; a failed one is tried again
    if (runtime.sleep.isAsleep && hasFailed(exitOf(state))) runtime.sleep.wake('a save')
    else if (!runtime.isDebugged && !isDone && !runtime.isGivenUp && !runtime.sleep.isAsleep)
      void this.#exchange(runtime, 'watch', files)
  }

  #beginEdits(Edits: typeof TemplateEdits, reread: () => Promise<Plan>): void {
    const {plan, apps, reporter, hints = () => [], emit, onEdited} = this.#options
    this.#edits = new Edits({
      plan,
      reread,
      applies: text => {
        if (text !== '') emit({type: 'template-edited', text})
        for (const {code, text: hint} of hints()) reporter.warn(code, hint)
      },
      apps,
      followFiles: async (files, since) => {
        onEdited?.()
        await this.#followTemplate(files, since)
      },
      follow: runtime => void this.#watching?.follow(runtime, systemClock.date()),
      exchange: async runtime => this.#exchange(runtime, 'watch'),
      isChanging: runtime => this.isChanging(runtime),
      reporter
    })
    for (const brought of this.#broughtIn) this.#edits.broughtIn(brought)
  }

  /**
   * Restarts apps on request of the user; settles when the new processes have started, or failed: with why each has left the old
   * process in place, '' = it has not. Instances of one app restart one after the other, each when the previous one is ready.
   */
  async restart(runtimes: readonly AppRuntime[]): Promise<readonly string[]> {
    return Promise.all(runtimes.map(async runtime => this.#restart(runtime)))
  }

  /** Stops the process of an app that the user wants to start in a debugger; settles when it has exited. */
  async handOver(runtime: AppRuntime): Promise<void> {
    await this.#reloadsOf(runtime).ask('user')
  }

  /** Starts an app here that the user wants back from the debugger. */
  async takeBack(runtime: AppRuntime): Promise<void> {
    await this.#restart(runtime, true)
  }

  async #restart(runtime: AppRuntime, isTakenBack = false): Promise<string> {
    this.#watching?.lift(runtime)
    const begun = Promise.withResolvers<void>()
    const off = runtime.onMove(() => {
      const {state} = runtime.app
      // without a pid it could not be spawned: its next state follows
      if ((state.phase === 'starting' && state.pid !== undefined) || state.phase === 'backoff') begun.resolve()
    })
    // with `overlap` no start is visible until the candidate has taken over, which may never happen
    const {stop, ready} = runtime.wanted
    const callOff = systemClock.after(stop.timeoutMs + ready.timeoutMs, begun.resolve)
    const hasTurn = !isTakenBack && this.#isOneOfSeveral(runtime)
    const exchange = isTakenBack ? this.#reloadsOf(runtime).ask('user') : this.#exchange(runtime, 'user')
    await (hasTurn ? exchange : Promise.race([begun.promise, exchange]))
    callOff()
    off()
    return this.#reloads.get(runtime)?.failure ?? ''
  }

  /** Called when an app has fallen asleep. Its next process takes the changes that were not applied. */
  fellAsleep(runtime: AppRuntime): void {
    if (runtime.wanted === runtime.plan || this.isChanging(runtime)) return
    void this.#exchange(runtime, 'watch')
  }

  /** Whether a saved file of the app, or a request, is being acted on, or is about to be. */
  isChanging(runtime: AppRuntime): boolean {
    const isWaiting = this.#exchanged.has(runtime) || this.#watching?.isPending(runtime) === true
    return !this.#isOver && (isWaiting || this.#reloads.get(runtime)?.isRunning === true)
  }

  /** Whether an edit of the template is being acted on, or is about to be. */
  get isTemplateChanging(): boolean {
    return !this.#isOver && (this.#edits?.arePending === true || this.#watching?.isTemplatePending === true)
  }

  /** Watches the files of an app that has joined the run, and is not started yet. */
  join(runtime: AppRuntime): void {
    this.#joined.add(runtime)
    void this.#watching?.follow(runtime, runtime.opening.createdAt)
  }

  /** Called when an app that was left out has been started: from now on edits of the template change it. */
  broughtIn(plan: AppPlan): void {
    if (this.#edits === undefined) this.#broughtIn = [...this.#broughtIn, plan]
    else this.#edits.broughtIn(plan)
  }

  /** Reads the template again, since apps that could not be opened may be now. Settles when it is applied. */
  async applyAgain(): Promise<void> {
    await this.#edits?.saved()
  }

  /** Called when the app leaves the run: it is no longer restarted. */
  leave(runtime: AppRuntime): void {
    this.#joined.delete(runtime)
    this.#reloads.get(runtime)?.end()
    this.#reloads.delete(runtime)
    void this.#watching?.remove(runtime)
  }

  /** Called when the run is stopping: nothing is restarted from now on. */
  end(): void {
    this.#over.abort()
    this.#edits?.end()
    for (const reloads of this.#reloads.values()) reloads.end()
    void this.#watching?.close()
  }

  /** Extra text for the error of a call that timed out in an app's queue. */
  callCycle(callee: string, {caller}: PendingCall): string {
    const callers = new Map<string, Set<string>>()
    for (const {id, queue} of this.#options.runtimes()) {
      const known = callers.get(id) ?? new Set()
      for (const {caller: by} of [...queue.inFlight.keys(), ...queue.held]) known.add(by)
      callers.set(id, known)
    }
    return describeCallCycle(caller, callee, callers)
  }

  /**
   * Whether a call of an app waits, itself or through the apps that it calls, in the queue of an app that starts or reloads.
   * False if one of these apps calls the app in turn: both would wait.
   */
  #waitsForOthers(id: string): boolean {
    const reached = new Set([id])
    let isHeld = false
    // the loop also covers ids that it adds
    for (const by of reached)
      for (const {id: callee, queue} of this.#options.runtimes()) {
        const waits = queue.held.some(isFrom(by))
        if (!waits && ![...queue.inFlight.keys()].some(isFrom(by))) continue
        if (callee === id) return false
        isHeld ||= waits && queue.timeoutMs < Infinity
        reached.add(callee)
      }
    return isHeld
  }

  /** Replaces the process of an app, of an instance when its turn has come. */
  async #exchange(runtime: AppRuntime, why: Why, files?: readonly string[]): Promise<void> {
    const reloads = this.#reloadsOf(runtime) // an edit that opens the app again ends these
    this.#exchanged.set(runtime, (this.#exchanged.get(runtime) ?? 0) + 1)
    try {
      await this.#exchangeInTurn(runtime, async () => reloads.ask(why, files))
    } finally {
      const left = (this.#exchanged.get(runtime) ?? 1) - 1
      if (left === 0) this.#exchanged.delete(runtime)
      else this.#exchanged.set(runtime, left)
    }
  }

  async #exchangeInTurn(runtime: AppRuntime, exchange: () => Promise<void>): Promise<void> {
    // an instance that sleeps has no process to replace: its next one has the new plan, whatever happens to the others
    if (!this.#isOneOfSeveral(runtime) || isAtRest(runtime)) return exchange()
    const key = JSON.stringify([runtime.id, runtime.plan.version])
    const rolling = this.#rolling.get(key) ?? this.#newRolling()
    this.#rolling.set(key, rolling)
    await rolling.take(runtime, exchange)
  }

  #newRolling(): Rolling {
    const warn = (waiting: readonly AppRuntime[], textOf: (those: string) => string): void => {
      const names = waiting.map(each => `"${each.name}"`).join(', ')
      const text = textOf(`${names} ${waiting.length === 1 ? 'keeps its process' : 'keep their processes'}`)
      if (!this.#isOver) this.#options.reporter.warn('reload-failed', text)
    }
    return new Rolling({
      isElsewhere: runtime => !this.#joined.has(runtime) || runtime.isDebugged,
      stopped: ({name}, waiting) => warn(waiting, those => `"${name}" did not become ready: ${those}`),
      onLate: ({name}, waiting) => warn(waiting, those => `${those} until "${name}" is ready`)
    })
  }

  #isOneOfSeveral({id, plan: {version}}: AppRuntime): boolean {
    return this.#options.runtimes().filter(each => each.id === id && each.plan.version === version).length > 1
  }

  #reloadsOf(runtime: AppRuntime): Reloads {
    const reloads =
      this.#reloads.get(runtime) ??
      new Reloads({
        runtime,
        reloaded: what => this.#options.emit({type: 'reloaded', version: runtime.plan.version, ...what}),
        reporter: this.#options.reporter,
        replacing: async () => this.#noteDirectCalls(runtime),
        letGo: () => this.#options.letGo(runtime),
        letGoMs: () => this.#options.letGoMs(runtime),
        keepHosted: () => this.#options.keepHosted(runtime),
        finishWork: () => this.#options.finishWork(runtime),
        resumeWork: () => {
          this.#options.resumeWork(runtime)
          this.#options.keepHosted(runtime)
        },
        waitsForOthers: () => this.#waitsForOthers(runtime.id),
        callCycle: pendingCall => this.callCycle(runtime.id, pendingCall)
      })
    if (this.#isOver || !this.#joined.has(runtime)) reloads.end()
    else this.#reloads.set(runtime, reloads)
    return reloads
  }

  /** Says once that calls at the `appPort` of an app are not held, where programs call it there. */
  async #noteDirectCalls({id, appPort, queue, plan: {published, channel}}: AppRuntime): Promise<void> {
    if (published !== undefined || channel.autoPort || channel.address !== '' || appPort === 0 || this.#direct.has(id))
      return
    const {isCalledDirectly} = await import('../../platform/direct-connections.ts')
    if (!isCalledDirectly(appPort, queue.admitted > 0)) return
    this.#direct.add(id)
    this.#options.reporter.warn(
      'calls-not-held',
      `calls at appPort ${appPort} of "${id}" are not held: use port: ${appPort}`
    )
  }

  /** Watches the template; saves after `since` (ms since 1970) count. */
  async #followTemplate(files: readonly string[], since: number): Promise<void> {
    if (this.#edits === undefined || this.#isOver) return
    await this.#watching?.followTemplate(files, since, () => void this.#edits?.saved())
  }
}

/** Whether it sleeps and has not failed: a change does not start it. */
const isAtRest = ({app: {state}}: AppRuntime): boolean => state.phase === 'asleep' && state.last === undefined

const hasFailed = (exit: Exit | undefined): boolean => exit !== undefined && !succeeded(exit)

/** Whether a call was made by an app itself, not by Pillion for it. */
const isFrom =
  (id: string) =>
  ({caller, isOwn}: PendingCall): boolean =>
    caller === id && isOwn !== true
