import type {Emit} from '../../model/events.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import {exitOf, type Exit, succeeded} from '../../model/app-state.ts'
import {describeCallCycle} from './call-cycle.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'
import {systemClock} from '../../platform/clock.ts'
import type {AppRuntime} from '../app-runtime.ts'
import type {HostedWork} from './overlap.ts'
import {AppOwner} from '../owner/owner.ts'
import {filesOf} from './plan-facts.ts'
import type {EditedApps, TemplateEdits} from './template-edits.ts'
import type {OnFiles, Watching} from './watch-apps.ts'
import type {Hint, Reporter} from '../../model/reporter.ts'

export interface ChangesOptions extends HostedWork {
  readonly plan: Plan
  /** Start of the run, in ms since 1970. */
  readonly since: number
  /** Reads the template again. Rejects with a `UserError`. Undefined if edits are ignored. */
  readonly reread: (() => Promise<Plan>) | undefined
  /** Returns warnings about the template since the last call. */
  readonly hints?: (() => readonly Hint[]) | undefined
  /** The apps with an open sidecar. */
  readonly runtimes: () => readonly AppRuntime[]
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
  /** The owners of the apps that have joined the run and not left it. */
  readonly #owners = new Map<AppRuntime, AppOwner>()
  /** Ids of apps whose callers use their `appPort`. */
  readonly #direct = new Set<string>()
  /** Edits of the template; loaded with the watcher. */
  #edits: TemplateEdits | undefined
  /** Plans of apps that had joined the run before the edits were loaded. */
  #broughtIn: readonly AppPlan[] = []
  #watching: Watching | undefined
  #isOver = false

  constructor(options: ChangesOptions) {
    this.#options = options
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
      ...[...this.#owners.keys()].map(async runtime => this.#watching?.follow(runtime, runtime.opening.createdAt)),
      this.#followTemplate(filesOf(plan), since)
    ])
    if (this.#isOver) await this.#watching.close()
  }

  readonly #onFiles: OnFiles = (runtime, files) => {
    const {state} = runtime.app
    // an app that was watched without end when it finished waits for files since then
    const isOver = state.phase === 'exited' || (state.phase === 'backoff' && succeeded(state.last))
    const isDone = runtime.plan.watch.untilFinished === true && isOver
    // a sleeping app, and one with a failed dependency, starts later with the saved files; a failed one is tried again
    if (runtime.sleep.isAsleep && hasFailed(exitOf(state))) runtime.sleep.wake('a save')
    else if (!runtime.isDebugged && !isDone && !runtime.isGivenUp && !runtime.sleep.isAsleep)
      this.#owners.get(runtime)?.want('watch', files)
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
      exchange: runtime => this.#owners.get(runtime)?.want('watch'),
      reporter
    })
    for (const brought of this.#broughtIn) this.#edits.broughtIn(brought)
  }

  /**
   * Replaces the process of an app for the user, gives it to a debugger, or takes it back. Settles when the next process has started or
   * failed, with the reason why the old one stays, else ''. Instances of an app take turns, each until it is ready.
   */
  async renew(runtime: AppRuntime): Promise<string> {
    this.#watching?.lift(runtime)
    const owner = this.#owners.get(runtime)
    const aim = runtime.person === 'debugs' || owner?.takesTurns === true ? 'settled' : 'begun'
    owner?.want('user')
    await owner?.reached(aim)
    return owner?.failure ?? ''
  }

  /** Puts an idle app to sleep, unless it is needed before its work is done. Resolves with true if it sleeps. */
  async fall(runtime: AppRuntime, isBusy: () => boolean): Promise<boolean> {
    return (await this.#owners.get(runtime)?.fall(isBusy)) === true
  }

  /** Whether a saved file of the app, or a request, is being acted on, or is about to be. */
  isChanging(runtime: AppRuntime): boolean {
    const isSettling = this.#watching?.isPending(runtime) === true
    return !this.#isOver && (isSettling || this.#owners.get(runtime)?.isChanging === true)
  }

  /** Whether an edit of the template is being acted on, or is about to be. */
  get isTemplateChanging(): boolean {
    return !this.#isOver && (this.#edits?.arePending === true || this.#watching?.isTemplatePending === true)
  }

  /** Watches the files of an app that has joined the run, and is not started yet. */
  join(runtime: AppRuntime): void {
    this.#owners.set(runtime, this.#newOwner(runtime))
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

  /** Called when the app leaves the run, so that it is not restarted. */
  leave(runtime: AppRuntime): void {
    this.#owners.get(runtime)?.end()
    this.#owners.delete(runtime)
    void this.#watching?.remove(runtime)
  }

  /** Called when the run is stopping: nothing is restarted afterwards. */
  end(): void {
    this.#isOver = true
    this.#edits?.end()
    for (const owner of this.#owners.values()) owner.end()
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
   * Whether a call of an app, or of apps that it calls, waits in the queue of an app that starts or reloads. False if one of these apps
   * calls the app in turn: both would wait.
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

  #newOwner(runtime: AppRuntime): AppOwner {
    const {emit, runtimes} = this.#options
    const {id, plan} = runtime
    const isInstance = (each: AppRuntime): boolean => each.id === id && each.plan.version === plan.version
    return new AppOwner({
      ...this.#options,
      runtime,
      clock: systemClock,
      group: () => runtimes().flatMap(each => (isInstance(each) ? (this.#owners.get(each) ?? []) : [])),
      reloaded: what => {
        runtime.announce()
        emit({type: 'reloaded', version: runtime.plan.version, ...what})
      },
      replacing: async () => this.#noteDirectCalls(runtime),
      waitsForOthers: () => this.#waitsForOthers(id),
      callCycle: pendingCall => this.callCycle(id, pendingCall)
    })
  }

  /** Warns once that calls at the `appPort` of an app are not held, if programs call it there. */
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

const hasFailed = (exit: Exit | undefined): boolean => exit !== undefined && !succeeded(exit)

/** Whether a call was made by an app itself, not by Pillion for it. */
const isFrom =
  (id: string) =>
  ({caller, isOwn}: PendingCall): boolean =>
    caller === id && isOwn !== true
