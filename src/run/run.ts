// run/ connects all modules to one run: it starts ports, logs, sidecars, the control socket and apps, and stops them in
// reverse order.
import {randomBytes} from 'node:crypto'
import type {Watchdog} from '../supervisor/process/watchdog.ts'
import {preparePipes} from '../supervisor/process/supervised-app.ts'
import {closePipes} from '../platform/pipes.ts'
import {existingFolders, runtimeFolders, usableFolder} from '../control/folder.ts'
import type {Handlers, RunListing} from '../control/messages.ts'
import type {KeyMode} from '../platform/key-mode.ts'
import {homeOf, register, type Registration} from '../control/server.ts'
import {controlHandlers} from './control-handlers.ts'
import {addPlanned} from './run-faults.ts'
import {Changes} from '../supervisor/reload/changes.ts'
import {withDeadline} from '../supervisor/reload/deadline.ts'
import {claimAll, releaseAll, type Claims} from '../ports/claim-all.ts'
import {openAppSidecar, type OpenSidecar} from '../sidecar/open-sidecar.ts'
import {watchdogFor, longestGraceMs} from '../supervisor/run-watchdog.ts'
import {identityOf, listingOf} from './listing.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {Apps} from './apps/apps.ts'
import {AppCloser} from './apps/close-app.ts'
import {endApps} from './apps/end-apps.ts'
import {AppRuntimes} from './apps/create-app-runtimes.ts'
import type {RunOptions} from './run-options.ts'
import type {Admit} from '../gateway/admission.ts'
import {RunComponents} from './run-components.ts'
import {RunDaprd} from './run-daprd.ts'
import {RunResources} from './run-resources.ts'
import {PeerRuns} from '../gateway/peer-runs.ts'
import {denyUnknown} from '../gateway/unknown-app.ts'
import {isStartedAtOnce, StartOrder} from '../supervisor/order/start-order.ts'
import {Services} from '../daeploy/services/services.ts'
import {RunApi} from './run-api.ts'
import {RunRecorder} from './run-recorder.ts'
import {Stages, type Stage} from './stages.ts'
import {sweep} from './sweep.ts'
import {warnDuplicateRun} from './duplicate-run.ts'
import {exceptedText, inBackground, observed, RunReporter} from './run-reporter.ts'

/**
 * `wiring`: ports, logs, sidecars and the socket are opened; `starting`: the first apps are spawned, their start lines are
 * not printed yet; `stopping`: the stop was requested, or all apps have exited; `ended`: nothing is left.
 */
type Phase = 'wiring' | 'starting' | 'running' | 'stopping' | 'ended'

/** All apps of a plan, from the first port to the last process. */
export class Run {
  readonly #end = Promise.withResolvers<boolean>()
  /** Settles when nothing of the run is left; true if all apps succeeded. */
  readonly ended = this.#end.promise
  /** Handles requests to the run; undefined before it is registered. */
  handlers: Handlers | undefined
  readonly #options: RunOptions
  /** The marker of all processes of this run. */
  readonly #marker = randomBytes(16).toString('hex')
  readonly #startedAt = Date.now()
  readonly #sidecars = new Map<AppRuntime, OpenSidecar>()
  readonly #reporter: RunReporter
  /** Aborted when the run is stopping. */
  readonly #asked = new AbortController()
  /** Aborted to stop without a grace period. */
  readonly #now = new AbortController()
  readonly #watchdog: Watchdog
  /** The key with which other runs identify themselves at our sidecars. */
  readonly #key = randomBytes(16).toString('hex')
  readonly #peerRuns: PeerRuns
  readonly #services: Services
  readonly #appRuntimes: AppRuntimes
  readonly #resources: RunResources
  readonly #components: RunComponents
  readonly #daprd: RunDaprd
  readonly #changes: Changes
  readonly #starts: StartOrder
  readonly #appCloser: AppCloser
  readonly #apps: Apps
  #registration: Registration | undefined
  #isForced = false
  #phase: Phase = 'wiring'
  readonly #stages = new Stages()
  readonly #recorder = new RunRecorder(() => this.#apps.all)
  readonly api = new RunApi({
    recorder: this.#recorder,
    sidecars: this.#sidecars,
    apps: () => this.#apps,
    changes: () => this.#changes,
    services: () => this.#services,
    control: () => this.handlers,
    runLog: () => this.#appRuntimes.runLog,
    options: () => this.#options
  })
  #finishing: Promise<void> | undefined

  constructor(asked: RunOptions) {
    const options = observed(asked, [this.#recorder, this.api])
    this.#options = options
    const {plan, shell} = options
    this.#reporter = new RunReporter(options.emit)
    this.#watchdog = watchdogFor({plan, shell, marker: this.#marker, reporter: this.#reporter})
    this.#peerRuns = new PeerRuns({
      shell,
      run: this.#marker,
      identify: id => this.#services.versions.identify(id),
      known: () => this.#services.versions.runtimes.map(({id}) => id)
    })
    this.#services = new Services({
      ...options,
      run: this.#marker,
      key: this.#key,
      elsewhere: this.#elsewhere,
      observer: this.#recorder.observer,
      faults: this.api.faults,
      reporter: this.#reporter,
      remove: async runtime => this.#apps.remove(runtime),
      add: async app => this.#apps.add(app, this.#apps.all.length)
    })
    this.#resources = new RunResources({shell, since: this.#startedAt, reporter: this.#reporter})
    this.#components = new RunComponents({plan, env: shell, reporter: this.#reporter})
    this.#daprd = new RunDaprd({shell, run: this.#marker, watchdog: this.#watchdog, reporter: this.#reporter})
    this.#changes = new Changes({
      plan,
      since: this.#startedAt,
      reread: options.reread,
      runtimes: () => this.#apps.open,
      emit: options.emit,
      reporter: this.#reporter,
      open: async (app, index) => this.#apps.add(app, index),
      close: async runtime => this.#apps.remove(runtime),
      replan: (before, after) => this.#apps.replan(before, after),
      leaveOut: plans => this.#apps.leaveOut(plans)
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
      died: (runtime, exit) => this.#recorder.died(runtime, exit),
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
  }

  /**
   * Settles when the start lines of all apps without dependencies are printed, or the run was stopped before. Throws a
   * UserError if a port is taken. After any error nothing is left behind.
   */
  async start(): Promise<void> {
    const {plan, shell} = this.#options
    const folders = runtimeFolders(shell)
    const folder = usableFolder(folders)
    existingFolders(folders, text => this.#reporter.warn('runtime-folder-skipped', text)) // warns once; later searches skip such folders silently
    const pipes = preparePipes(plan.apps.filter(isStartedAtOnce).length)
    if (!(await this.#wire(folder, pipes))) return this.#finish()
    this.#phase = 'starting'
    await this.#starts.begin(await pipes)
    const isOver = this.#isOver
    if (!isOver) this.#phase = 'running'
    this.#services.announce()
    this.#resources.report()
    for (const id of this.#options.debugged ?? []) this.#reporter.warn('app-excepted', exceptedText(id))
    this.#reporter.release(this.#options.hints)
    if (isOver) return
    if (plan.apps.length > 0) void this.#apps.ended().then(async () => this.#finish())
    void warnDuplicateRun({plan, run: this.#marker, shell: shell, reporter: this.#reporter})
    if (plan.file !== '') void this.#appRuntimes.removeOldLogs()
    const swept = sweep({env: shell, reporter: this.#reporter})
    void inBackground(this.#reporter, 'cannot clean up after killed runs', swept)
    void inBackground(this.#reporter, 'cannot watch files', this.#changes.begin())
    void inBackground(this.#reporter, 'cannot watch resources', this.#resources.follow())
  }

  /** Opens everything that apps need; false if the run was stopped meanwhile, so that no app may start. */
  async #wire(folder: string, pipes: ReturnType<typeof preparePipes>): Promise<boolean> {
    let isWired = false
    try {
      isWired = await this.#stages.start(this.#parts(folder), this.#asked.signal)
      return isWired
    } finally {
      if (!isWired) for (const each of await pipes) closePipes(each)
    }
  }

  /** The stages of a run in start order; they are stopped in reverse. */
  #parts(folder: string): readonly Stage[] {
    const {plan} = this.#options
    let claims: Claims = {sidecars: [], manager: undefined}
    return [
      // first, so that it closes last; the registration below opens it when everything else is ready
      {name: 'socket', stop: async () => this.#registration?.withdraw()},
      {name: 'API', stop: async () => this.api.close()},
      {name: 'other runs', stop: () => this.#peerRuns.close()},
      {name: 'resources', stop: async () => this.#resources.close()},
      {name: 'components', stop: async () => this.#components.close()},
      {
        name: 'ports',
        start: async () => {
          claims = await claimAll(plan)
        },
        stop: () => releaseAll(claims)
      },
      // before the sidecars, so that its connections close after log followers have received the end of their log
      {name: 'manager port', stop: async cut => this.#services.close(cut)},
      {
        name: 'sidecars',
        start: async () => this.#apps.openAll(claims.sidecars),
        stop: async cut => this.#appCloser.closeAll(this.#apps.all, cut)
      },
      {name: 'services', start: () => this.#services.open(claims.manager)},
      {name: 'faults', start: async () => addPlanned(this.api.faults, plan)},
      {name: 'registration', start: async () => this.#register(folder)},
      {
        name: 'watchdog',
        start: () => this.#watchdog.start(homeOf(folder, this.#marker)),
        stop: async () => this.#watchdog.dismiss()
      },
      {name: 'components of apps', start: async () => this.#ofSidecars(sidecar => sidecar.openComponents())},
      {name: 'apps', stop: async () => this.#endApps()}
    ]
  }

  /** Opens the socket by which other terminals find the run. */
  async #register(folder: string): Promise<void> {
    const {plan} = this.#options
    const about = {marker: this.#marker, graceMs: longestGraceMs(plan), identity: identityOf(plan)}
    this.handlers = {
      list: () => this.#listing(),
      stop: () => this.stop(),
      stopApp: async id => this.#apps.stop(id),
      releaseRedis: port => this.#components.releaseRedis(port),
      ...this.api.handlers,
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

  /** If the run is killed, the watchdog restores the modes of this terminal; undefined: nothing to restore. */
  guardTerminal(mode: KeyMode | undefined): void {
    this.#watchdog.guardTerminal(mode)
  }

  /** Stops the run: SIGTERM to every app, dependents first, and SIGKILL after the grace period. */
  stop(): void {
    if (this.#isOver) return
    const isWired = this.#phase !== 'wiring'
    this.#phase = 'stopping'
    this.#asked.abort()
    this.#changes.end()
    this.#options.emit({type: 'stopping'})
    for (const runtime of this.#apps.all) runtime.announceEnd()
    if (isWired) void this.#finish() // else `start`, which is still running, does
  }

  /** Stops the run without a grace period. */
  stopNow(): void {
    this.stop()
    this.#now.abort()
    for (const runtime of this.#apps.all) runtime.stopNow()
  }

  /** Processes that left the group of this app process survive the run, also if the watchdog or a sweep ends it. */
  #spare(marker: string): void {
    this.#watchdog.spare(marker)
    this.#registration?.spare(marker)
  }

  async #openAppSidecar(runtime: AppRuntime): Promise<void> {
    const {plan, shell} = this.#options
    const sidecar = await openAppSidecar({
      runtime,
      plan,
      shell,
      resources: await this.#resources.open(runtime.plan),
      components: () => this.#components.load(),
      daprd: this.#daprd,
      apps: this.#services.admitFor(runtime),
      protocolOf: id => this.#services.protocolOf(id),
      mounted: this.#services.managerApiOf(runtime),
      copierOf: this.#services.copierOf,
      observer: this.#recorder.observer,
      faults: this.api.faults,
      show: text => this.#options.emit({type: 'policy-decided', text}),
      key: this.#key,
      requestShutdown: isForced => void this.#shutDown(runtime, isForced)
    })
    this.#sidecars.set(runtime, sidecar)
    if (this.#registration !== undefined) await sidecar.openComponents()
  }

  async #ofSidecars(work: (sidecar: OpenSidecar) => Promise<void>): Promise<void> {
    await Promise.all([...this.#sidecars.values()].map(work))
  }

  /** As the app's own sidecar was asked to; `isForced`: without time to finish, and the run has failed. */
  async #shutDown(runtime: AppRuntime, isForced: boolean): Promise<void> {
    this.#isForced ||= isForced
    if (isForced) runtime.stopNow()
    await this.#apps.stop(`${runtime.id}.${runtime.plan.instance.toString()}`)
  }

  /** Takes calls to what no running app is called: one that was stopped is not looked for in other runs. */
  readonly #elsewhere: Admit = (call, isRefused) => {
    const why = this.#apps.whyStopped(call.callee)
    return why === '' ? this.#peerRuns.admit(call, isRefused) : denyUnknown(call.callee, why)
  }

  /** The run is stopping or has ended. */
  get #isOver(): boolean {
    return this.#phase === 'stopping' || this.#phase === 'ended'
  }

  /** Stops all stages and resolves `ended`. */
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
      this.#end.resolve(!this.#isForced && (this.#asked.signal.aborted || this.#apps.areAllWell))
    } catch (error) {
      this.#end.reject(error)
    }
  }

  /** Sidecars stay open meanwhile. */
  async #endApps(): Promise<void> {
    await endApps(this.#apps.all, {
      run: this.#marker,
      graceMs: longestGraceMs(this.#options.plan),
      now: this.#now.signal,
      reporter: this.#reporter,
      endComponents: async () => this.#ofSidecars(sidecar => sidecar.endDaprd())
    })
  }

  #listing(): RunListing {
    return listingOf({
      plan: this.#options.plan,
      run: this.#marker,
      startedAt: this.#startedAt,
      apps: this.#apps,
      isMain: runtime => this.#services.versions.isMain(runtime),
      sidecarOf: runtime => this.#sidecars.get(runtime)
    })
  }
}
