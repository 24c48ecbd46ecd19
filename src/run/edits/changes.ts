import type {Plan} from '../../model/plan.ts'
import {exitOf, succeeded} from '../../model/app-state.ts'
import {describeCallCycle} from './call-cycle.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'
import {systemClock} from '../../platform/clock.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {HostedWork} from '../../supervisor/reload/overlap.ts'
import {AppOwner, type AppOwnerOptions} from '../../supervisor/owner/owner.ts'
import {filesOf} from './plan-facts.ts'
import type {TemplateEdits, TemplateEditsOptions} from './template-edits.ts'
import type {OnFiles, Watching} from './watch-apps.ts'

export interface ChangesOptions
  extends
    HostedWork,
    Pick<AppOwnerOptions, 'queue'>,
    Omit<TemplateEditsOptions, 'reread' | 'followFiles' | 'follow' | 'replaceProcess' | 'reopen'> {
  /** Start of the run, in ms since 1970. */
  readonly since: number
  /** Reads the template again. Rejects with a `UserError`. Undefined if edits are ignored. */
  readonly reread: (() => Promise<Plan>) | undefined
  /** Called when an edit of the template is in effect. */
  readonly onEdited?: (() => void) | undefined
}

/** Handles changes during a run: of app files, of the template, and restarts by the user. */
export class Changes {
  readonly #options: ChangesOptions
  readonly #owners = new WeakMap<AppRuntime, AppOwner>()
  /** Ids of apps whose callers use their `appPort`. */
  readonly #direct = new Set<string>()
  /** Edits of the template; loaded with the watcher. */
  #edits: TemplateEdits | undefined
  #watching: Watching | undefined

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** Starts watching, after the start lines are printed. The watcher is loaded only if something is watched. */
  async begin(): Promise<void> {
    const {plan, lifetime, reread, since, reporter} = this.#options
    const {apps, leftOut = []} = plan
    const isWatched = [...apps, ...leftOut].some(({watch}) => watch.paths.length > 0)
    if (lifetime.isOver || (!isWatched && reread === undefined)) return
    const [{Watching}, {TemplateEdits: Edits}] = await Promise.all([
      import('./watch-apps.ts'),
      import('./template-edits.ts')
    ])
    if (lifetime.isOver) return
    if (reread !== undefined) this.#beginEdits(Edits, reread)
    // other files may be files of apps, too
    const templateFiles = reread === undefined ? [plan.file, ...(plan.overlays ?? [])] : filesOf(plan)
    this.#watching = new Watching(templateFiles, this.#onFiles, reporter)
    await Promise.all([
      // also apps that a command is opening
      ...this.#runtimes
        .filter(each => this.ownerOf(each).isOpen)
        .map(async runtime => this.#watching?.follow(runtime, runtime.opening.createdAt)),
      this.#followTemplate(filesOf(plan), since)
    ])
  }

  readonly #onFiles: OnFiles = (runtime, files) => {
    const {state} = runtime.app
    // an app that was watched without end when it finished waits for files since then
    const isOver = state.phase === 'exited' || (state.phase === 'backoff' && succeeded(state.last))
    const isDone = runtime.plan.watch.untilFinished === true && isOver
    // a sleeping app, and one with a failed dependency, starts later with the saved files; a failed one is tried again
    const exit = exitOf(state)
    if (runtime.sleep.isAsleep && exit !== undefined && !succeeded(exit)) runtime.sleep.wake('a save')
    else if (!runtime.isDebugged && !isDone && !runtime.isGivenUp && !runtime.sleep.isAsleep)
      this.ownerOf(runtime).want('watch', files)
  }

  #beginEdits(Edits: typeof TemplateEdits, reread: () => Promise<Plan>): void {
    const {lifetime, onEdited} = this.#options
    this.#edits = new Edits({
      ...this.#options,
      reread,
      followFiles: async (files, since) => {
        if (lifetime.isOver) return
        onEdited?.()
        await this.#followTemplate(files, since)
      },
      follow: runtime => void this.#watching?.follow(runtime, systemClock.date()),
      reopen: async runtime => this.ownerOf(runtime).reopen(),
      replaceProcess: runtime => this.ownerOf(runtime).want('watch')
    })
  }

  /** All apps of the run, closed ones included. */
  get #runtimes(): readonly AppRuntime[] {
    return this.#options.apps().all
  }

  /** Returns the owner of an app, over all its openings. */
  readonly ownerOf = (runtime: AppRuntime): AppOwner => {
    const owner = this.#owners.get(runtime) ?? this.#newOwner(runtime)
    this.#owners.set(runtime, owner)
    return owner
  }

  /** Whether a saved file of the app, or a request, is being acted on, or is about to be. */
  readonly isChanging = (runtime: AppRuntime): boolean => {
    const isSettling = this.#watching?.isPending(runtime) === true
    return !this.#options.lifetime.isOver && (isSettling || this.ownerOf(runtime).isChanging)
  }

  /** Whether an edit of the template is being acted on, or is about to be. */
  get isTemplateChanging(): boolean {
    return (
      !this.#options.lifetime.isOver && (this.#edits?.arePending === true || this.#watching?.isTemplatePending === true)
    )
  }

  /** Watches the files of an app that has joined the run, or is open again, and is not started yet. */
  join(runtime: AppRuntime): void {
    this.ownerOf(runtime).opened()
    void this.#watching?.follow(runtime, runtime.opening.createdAt)
  }

  /** Reads the template again, since apps that could not be opened may be now. Settles when it is applied. */
  async applyAgain(): Promise<void> {
    await this.#edits?.saved()
  }

  /** Called when the app is closed: its files are not watched any more. */
  leave(runtime: AppRuntime): void {
    void this.#watching?.remove(runtime)
  }

  /** Called when the run is stopping: nothing is restarted afterwards. */
  end(): void {
    for (const runtime of this.#runtimes) this.ownerOf(runtime).end()
    void this.#watching?.close()
  }

  /** Extra text for the error of a call that timed out in an app's queue. */
  callCycle(callee: string, {caller}: PendingCall): string {
    const callers = new Map<string, Set<string>>()
    for (const {id, queue} of this.#runtimes) {
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
      for (const {id: callee, queue} of this.#runtimes) {
        const waits = queue.held.some(isFrom(by))
        if (!waits && ![...queue.inFlight.keys()].some(isFrom(by))) continue
        if (callee === id) return false
        isHeld ||= waits && queue.timeoutMs < Infinity
        reached.add(callee)
      }
    return isHeld
  }

  #newOwner(runtime: AppRuntime): AppOwner {
    const {emit, apps} = this.#options
    const {id, plan} = runtime
    const isInstance = (each: AppRuntime): boolean => each.id === id && each.plan.version === plan.version
    return new AppOwner({
      ...this.#options,
      runtime,
      clock: systemClock,
      open: async (...opened) => apps().reopen(...opened),
      group: () =>
        this.#runtimes
          .filter(isInstance)
          .map(each => this.ownerOf(each))
          .filter(({isOpen}) => isOpen),
      reloaded: what => {
        runtime.announce()
        emit({type: 'reloaded', version: runtime.plan.version, ...what})
      },
      replacing: async () => this.#noteDirectCalls(runtime),
      lift: () => this.#watching?.lift(runtime),
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
    if (this.#edits !== undefined) await this.#watching?.followTemplate(files, since, () => void this.#edits?.saved())
  }
}

/** Whether a call was made by an app itself, not by Pillion for it. */
const isFrom =
  (id: string) =>
  ({caller, isOwn}: PendingCall): boolean =>
    caller === id && isOwn !== true
