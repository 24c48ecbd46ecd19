// run/ is one run, wired: it knows every module and hands each what it asks for. Reads as the list of what a run does:
// ports, logs, sidecars, the socket, apps; and backwards at the end.
import {randomBytes} from 'node:crypto'
import {endMarked} from '../supervisor/process/end-group.ts'
import type {Watchdog} from '../supervisor/process/watchdog.ts'
import {preparePipes} from '../supervisor/process/supervised-app.ts'
import {closePipes} from '../platform/pipes.ts'
import {existingFolders, runtimeFolders, usableFolder} from '../control/folder.ts'
import type {Handlers, RunListing} from '../control/messages.ts'
import type {KeyMode} from '../platform/key-mode.ts'
import {homeOf, register, type Registration} from '../control/server.ts'
import {succeeded, type AppState} from '../model/app-state.ts'
import {controlHandlers} from './control-handlers.ts'
import {Changes} from '../supervisor/reload/changes.ts'
import {withDeadline} from '../supervisor/reload/deadline.ts'
import {claimAll, releaseAll, type Claims} from '../ports/claim-all.ts'
import {openAppSidecar, type OpenSidecar} from '../sidecar/open-sidecar.ts'
import {watchdogFor, longestGraceMs} from '../supervisor/run-watchdog.ts'
import {listingOf} from './listing.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {Apps} from './apps.ts'
import {AppCloser} from './close-app.ts'
import {AppRuntimes} from './create-app-runtimes.ts'
import type {RunOptions} from './run-options.ts'
import type {Admit} from '../gateway/admission.ts'
import {RunResources} from './run-resources.ts'
import {PeerRuns} from '../gateway/peer-runs.ts'
import {denyUnknown} from '../gateway/unknown-app.ts'
import {reportNote} from '../supervisor/messages/note-text.ts'
import {isStartedAtOnce, StartOrder} from '../supervisor/order/start-order.ts'
import {stopInOrder} from '../supervisor/order/stop-order.ts'
import {Services} from '../daeploy/services/services.ts'
import {Stages, type Stage} from './stages.ts'
import {sweep} from './sweep.ts'
import {warnDuplicateRun} from './duplicate-run.ts'
import {warnOfUnbuilt} from './not-built.ts'
import {inBackground, RunReporter} from './run-reporter.ts'

/**
 * `wiring`: ports, logs, sidecars and the socket come up; `starting`: the first apps are spawned, their start lines are
 * not out yet; `stopping`: the end was asked for, or all apps have ended; `ended`: nothing of it is left.
 */
type Phase = 'wiring' | 'starting' | 'running' | 'stopping' | 'ended'

/** All apps of a plan, from the first port to the last process. */
export class Run {
  /** Settles when nothing of the run is left; whether all went well. */
  readonly ended: Promise<boolean>
  /** What others may ask of the run; undefined before it is registered. */
  handlers: Handlers | undefined
  readonly #options: RunOptions
  /** The mark of everything that belongs to this run. */
  readonly #marker = randomBytes(16).toString('hex')
  readonly #startedAt = Date.now()
  readonly #end = Promise.withResolvers<boolean>()
  readonly #sidecars = new Map<AppRuntime, OpenSidecar>()
  readonly #reporter: RunReporter
  /** Aborted when the run is to end. */
  readonly #asked = new AbortController()
  /** Aborted when it is to end without its grace. */
  readonly #now = new AbortController()
  readonly #watchdog: Watchdog
  /** What other runs say at our sidecars when they speak for their apps. */
  readonly #key = randomBytes(16).toString('hex')
  readonly #peerRuns: PeerRuns
  readonly #services: Services
  readonly #appRuntimes: AppRuntimes
  readonly #resources: RunResources
  readonly #changes: Changes
  readonly #starts: StartOrder
  readonly #appCloser: AppCloser
  readonly #apps: Apps
  #registration: Registration | undefined
  #phase: Phase = 'wiring'
  readonly #stages = new Stages()
  #finishing: Promise<void> | undefined

  constructor(options: RunOptions) {
    this.#options = options
    const {plan, shell} = options
    this.#reporter = new RunReporter(options.emit)
    this.#watchdog = watchdogFor({plan, shell, marker: this.#marker, reporter: this.#reporter})
    this.#peerRuns = new PeerRuns({
      shell: options.shell,
      run: this.#marker,
      identify: id => this.#services.versions.identify(id),
      known: () => this.#services.versions.runtimes.map(({id}) => id)
    })
    this.#services = new Services({
      ...options,
      run: this.#marker,
      elsewhere: this.#elsewhere,
      reporter: this.#reporter,
      remove: async runtime => this.#apps.remove(runtime),
      add: async app => this.#apps.add(app, this.#apps.all.length)
    })
    this.#resources = new RunResources({shell, since: this.#startedAt, reporter: this.#reporter})
    this.#changes = new Changes({
      plan,
      since: this.#startedAt,
      reread: options.reread,
      runtimes: () => this.#apps.open,
      emit: options.emit,
      reporter: this.#reporter,
      open: async (app, index) => this.#apps.add(app, index),
      close: async runtime => this.#apps.remove(runtime),
      replan: (before, after) => this.#apps.replan(before, after)
    })
    this.#starts = new StartOrder({
      shownAs: plan.shownAs,
      emit: options.emit,
      reporter: this.#reporter,
      runtimes: () => this.#apps.all,
      isOver: () => this.#isOver
    })
    this.#appRuntimes = new AppRuntimes({
      ...options,
      run: this.#marker,
      services: this.#services,
      watchdog: this.#watchdog,
      maySpawn: () => !this.#isOver,
      explain: (id, pendingCall) => this.#changes.callCycle(id, pendingCall),
      moved: () => this.#starts.look(),
      spare: marker => this.#spare(marker),
      reporter: this.#reporter
    })
    this.#appCloser = new AppCloser({
      sidecars: this.#sidecars,
      asked: this.#asked.signal,
      now: this.#now.signal,
      leaves: runtime => {
        this.#changes.leave(runtime)
        this.#services.forget(runtime)
      },
      reporter: this.#reporter
    })
    this.#apps = new Apps({
      plan,
      runtimes: this.#appRuntimes,
      starts: this.#starts,
      closer: this.#appCloser,
      sidecars: this.#sidecars,
      openSidecar: runtime => this.#openAppSidecar(runtime),
      joins: runtime => this.#services.add(runtime),
      isMain: runtime => this.#services.versions.isMain(runtime),
      asked: this.#asked.signal,
      isOver: () => this.#isOver,
      end: async () => {
        this.stop()
        await this.ended
      }
    })
    this.ended = this.#end.promise
  }

  /**
   * Settles when the start lines of all apps are out that wait for no other, or the end was asked for before. Throws a
   * UserError where a port is taken; nothing is left behind then, nor where anything else fails.
   */
  async start(): Promise<void> {
    const {plan} = this.#options
    const folders = runtimeFolders(this.#options.shell)
    const folder = usableFolder(folders)
    existingFolders(folders, text => this.#reporter.warn('runtime-folder-skipped', text)) // told once; whoever looks for other runs skips them in silence
    const pipes = preparePipes(plan.apps.filter(isStartedAtOnce).length)
    if (!(await this.#wire(folder, pipes))) return this.#finish()
    this.#phase = 'starting'
    await this.#starts.begin(await pipes)
    const isOver = this.#isOver
    if (!isOver) this.#phase = 'running'
    this.#services.announce()
    for (const text of warnOfUnbuilt(plan)) this.#options.emit({type: 'warned', code: 'not-built', text})
    this.#resources.tell()
    for (const id of this.#options.debugged ?? []) this.#reporter.warn('app-excepted', exceptedText(id))
    this.#reporter.release(this.#options.hints)
    if (isOver) return
    if (plan.apps.length > 0) void this.#apps.ended().then(async () => this.#finish())
    void warnDuplicateRun({plan, run: this.#marker, shell: this.#options.shell, reporter: this.#reporter})
    if (plan.file !== '') void this.#appRuntimes.removeOldLogs()
    const swept = sweep({env: this.#options.shell, reporter: this.#reporter})
    void inBackground(this.#reporter, 'what killed runs have left behind is not removed', swept)
    void inBackground(this.#reporter, 'changes of files are not followed', this.#changes.begin())
    void inBackground(this.#reporter, 'changes of resources are not followed', this.#resources.follow())
  }

  /** Puts up all that apps need; false: the end was asked for meanwhile, no app is to be started. */
  async #wire(folder: string, pipes: ReturnType<typeof preparePipes>): Promise<boolean> {
    let isWired = false
    try {
      isWired = await this.#stages.start(this.#parts(folder), this.#asked.signal)
      return isWired
    } finally {
      if (!isWired) for (const each of await pipes) closePipes(each)
    }
  }

  /** What a run is made of, in the order in which it comes up; it is taken down in reverse. */
  #parts(folder: string): readonly Stage[] {
    const {plan} = this.#options
    let claims: Claims = {sidecars: [], manager: undefined}
    return [
      // the first one, so that it closes last: it is registered when all else stands
      {name: 'socket', stop: async () => this.#registration?.withdraw()},
      {name: 'other runs', stop: () => this.#peerRuns.close()},
      {name: 'resources', stop: async () => this.#resources.close()},
      {
        name: 'ports',
        start: async () => {
          claims = await claimAll(plan)
        },
        stop: () => releaseAll(claims)
      },
      // its connections end after those who follow a log have got the end of it, which the sidecars' stage brings
      {name: 'manager port', stop: async cut => this.#services.close(cut)},
      {
        name: 'sidecars',
        start: async () => this.#apps.openAll(claims.sidecars),
        stop: async cut => this.#appCloser.closeAll(this.#apps.all, cut)
      },
      {
        name: 'services',
        start: () => this.#services.open(claims.manager)
      },
      {name: 'registration', start: async () => this.#register(folder)},
      {
        name: 'watchdog',
        start: () => this.#watchdog.start(homeOf(folder, this.#marker)),
        stop: async () => this.#watchdog.dismiss()
      },
      {name: 'apps', stop: async () => this.#endApps()}
    ]
  }

  /** Opens the socket by which other terminals find the run. */
  async #register(folder: string): Promise<void> {
    const about = {marker: this.#marker, graceMs: longestGraceMs(this.#options.plan)}
    this.handlers = {
      list: () => this.#listing(),
      stop: () => this.stop(),
      stopApp: async id => this.#apps.stop(id),
      ...this.#services.handlers,
      ...controlHandlers({
        changes: this.#changes,
        starts: this.#starts,
        run: this.#marker,
        startedAt: this.#startedAt,
        key: this.#key,
        shell: this.#options.shell,
        apps: this.#apps,
        sidecars: this.#sidecars,
        runLog: this.#appRuntimes.runLog,
        main: id => this.#services.versions.main(id),
        isEnding: () => this.#isOver
      })
    }
    this.#registration = await register(folder, about, this.handlers)
  }

  /** If the run is killed, this terminal gets its modes back; undefined: it has them. */
  guardTerminal(mode: KeyMode | undefined): void {
    this.#watchdog.guardTerminal(mode)
  }

  /** Asks for the end: SIGTERM to every app, dependents first, and after its grace SIGKILL. */
  stop(): void {
    if (this.#isOver) return
    const isWired = this.#phase !== 'wiring'
    this.#phase = 'stopping'
    this.#asked.abort()
    this.#changes.end()
    this.#options.emit({type: 'stopping'})
    for (const runtime of this.#apps.all) runtime.announceEnd()
    if (isWired) void this.#finish() // else the start does, which is under way
  }

  /** The end without a grace. */
  stopNow(): void {
    this.stop()
    this.#now.abort()
    for (const runtime of this.#apps.all) runtime.stopNow()
  }

  /** What has left the groups of this process is not to be ended with the run, nor by those who end it for us. */
  #spare(marker: string): void {
    this.#watchdog.spare(marker)
    this.#registration?.spare(marker)
  }

  async #openAppSidecar(runtime: AppRuntime): Promise<void> {
    const sidecar = openAppSidecar({
      runtime,
      plan: this.#options.plan,
      shell: this.#options.shell,
      resources: await this.#resources.open(runtime.plan),
      apps: this.#services.admitFor(runtime),
      protocolOf: id => this.#services.protocolOf(id),
      mounted: this.#services.managerApiOf(runtime),
      copierOf: this.#services.copierOf,
      key: this.#key,
      requestShutdown: () => void this.#apps.stop(`${runtime.id}.${runtime.plan.instance.toString()}`)
    })
    this.#sidecars.set(runtime, sidecar)
  }

  /** Takes calls to what no running app is called: one that was stopped is not looked for in other runs. */
  readonly #elsewhere: Admit = (call, isRefused) => {
    const why = this.#apps.whyStopped(call.callee)
    return why === '' ? this.#peerRuns.admit(call, isRefused) : denyUnknown(call.callee, why)
  }

  /** The run is about to end, or has ended. */
  get #isOver(): boolean {
    return this.#phase === 'stopping' || this.#phase === 'ended'
  }

  /** Ends the run, and resolves `ended`. */
  async #finish(): Promise<void> {
    this.#finishing ??= this.#takeDown()
    await this.#finishing
  }

  async #takeDown(): Promise<void> {
    this.#phase = 'stopping'
    this.#changes.end()
    this.#reporter.release()
    try {
      const ms = longestGraceMs(this.#options.plan)
      await withDeadline({ms, over: this.#now.signal}, async cut => this.#stages.stop(cut))
      this.#phase = 'ended'
      this.#end.resolve(this.#asked.signal.aborted || this.#areAllWell)
    } catch (error) {
      this.#end.reject(error)
    }
  }

  get #areAllWell(): boolean {
    return this.#apps.all.every(
      runtime => this.#apps.isStopped(runtime) || (!runtime.isGivenUp && isWell(runtime.app.state))
    )
  }

  /** The apps, dependents first, then what carries the run's mark. Sidecars are open meanwhile. */
  async #endApps(): Promise<void> {
    await stopInOrder(this.#apps.all, {now: this.#now.signal})
    await endMarked({
      marker: `PILLION_RUN=${this.#marker}`,
      spared: this.#apps.all.flatMap(runtime => runtime.sparedMarkers),
      graceMs: longestGraceMs(this.#options.plan),
      now: this.#now.signal,
      ended: orphan => reportNote(this.#reporter, '', {type: 'orphan-ended', ...orphan})
    })
  }

  #listing(): RunListing {
    const {versions} = this.#services
    return listingOf({
      plan: this.#options.plan,
      run: this.#marker,
      startedAt: this.#startedAt,
      apps: this.#apps,
      isMain: runtime => versions.isMain(runtime),
      sidecarOf: runtime => this.#sidecars.get(runtime)
    })
  }
}

const exceptedText = (id: string): string =>
  `"${id}" is not started (--except): "pillion env ${id}" prints its environment, "pillion start ${id}" starts it`

const isWell = (state: AppState): boolean => state.phase === 'exited' && (state.asked || succeeded(state.exit))
