import {randomBytes} from 'node:crypto'
import {dirname} from 'node:path'
import {Services} from '#daeploy'
import type {RunControl} from '../control/run-control.ts'
import {register, type Registration} from '../control/server.ts'
import {PeerRuns} from '../control/peer-runs.ts'
import {Routes} from '../proxy/gateway/routes.ts'
import type {Reporter} from '../model/reporter.ts'
import {systemClock} from '../platform/clock.ts'
import {openAppSidecar, type OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {StartOrder} from '../supervisor/order/start-order.ts'
import type {Watchdog} from '../supervisor/process/watchdog.ts'
import {Changes} from '../supervisor/reload/changes.ts'
import {longestGraceMs, watchdogFor} from '../supervisor/run-watchdog.ts'
import {Apps} from './apps/apps.ts'
import {AppCloser} from './apps/close-app.ts'
import {AppRuntimes} from './apps/create-app-runtimes.ts'
import {appControl} from './app-control.ts'
import type {Lifetime} from './lifetime.ts'
import {runIdentity, listingOf} from './listing.ts'
import {RunApi} from './run-api.ts'
import {RunBorrowing} from './run-borrowing.ts'
import {RunComponents} from './run-components.ts'
import {RunDaprd} from './run-daprd.ts'
import {RunJobs} from './run-jobs.ts'
import type {RunOptions} from './run-options.ts'
import {RunRecorder} from './run-recorder.ts'
import {observed, RunReporter} from './run-reporter.ts'
import {RunActors} from './run-actors.ts'
import {RunWork} from './run-work.ts'
import {RunResources} from './run-resources.ts'

export interface RunPartsOptions {
  readonly run: RunOptions
  readonly lifetime: Lifetime
  /** Requests a stop of the run. */
  readonly stop: () => void
  /** Settles when nothing of the run is left. */
  readonly ended: Promise<unknown>
}

/** The parts of a run, and how they are connected. `Run` starts and stops them. */
export class RunParts {
  /** The marker of all processes of this run. */
  readonly marker = randomBytes(16).toString('hex')
  /** With the recorder and the API among those that get its events. */
  readonly options: RunOptions
  /** Handles requests to the run; undefined before it is registered. */
  control: RunControl | undefined
  readonly reporter: RunReporter
  readonly watchdog: Watchdog
  readonly peerRuns: PeerRuns
  readonly routes: Routes<AppRuntime>
  readonly services: Services
  readonly appRuntimes: AppRuntimes
  readonly resources: RunResources
  readonly components: RunComponents
  readonly work: RunWork
  readonly actors: RunActors
  readonly changes: Changes
  readonly starts: StartOrder
  readonly appCloser: AppCloser
  readonly apps: Apps
  readonly api: RunApi
  readonly #borrowing: RunBorrowing
  readonly #recorder: RunRecorder
  readonly #daprd: RunDaprd
  readonly #sidecars = new Map<AppRuntime, OpenSidecar>()
  /** The key with which other runs identify themselves at our sidecars. */
  readonly #key = randomBytes(16).toString('hex')
  readonly #startedAt = systemClock.date()
  readonly #lifetime: Lifetime
  readonly #stop: () => void
  #registration: Registration | undefined

  constructor({run, lifetime, stop, ended}: RunPartsOptions) {
    this.#lifetime = lifetime
    this.#stop = stop
    this.#recorder = new RunRecorder(() => this.apps.all)
    this.api = this.#createApi()
    const options = observed(run, [this.#recorder, this.api])
    this.options = options
    const {plan, env, emit} = options
    const marker = this.marker
    const reporter = new RunReporter(emit)
    this.reporter = reporter
    const isOver = (): boolean => lifetime.isOver
    this.watchdog = watchdogFor({plan, env, marker, reporter})
    this.peerRuns = this.#createPeerRuns()
    this.#borrowing = new RunBorrowing({
      env,
      rest: plan.rest,
      runName: () => this.name,
      peerRuns: this.peerRuns,
      apps: () => this.apps,
      reporter
    })
    this.routes = this.#createRoutes(reporter)
    this.services = this.#createServices(reporter)
    this.resources = new RunResources({
      env,
      since: this.#startedAt,
      reporter,
      refreshed: () => this.work.settingsChanged()
    })
    this.components = new RunComponents({plan, env, run: marker, reporter})
    this.work = new RunWork({
      plan,
      env,
      reporter,
      runtimes: () => this.apps.all,
      resourcesOf: id => this.resources.snapshotOf(id),
      workMode: options.workMode,
      actors: async () => this.actors.load(),
      deliverJob: new RunJobs(this.#sidecars).deliver
    })
    this.actors = new RunActors({
      sidecars: this.#sidecars,
      observer: this.#recorder.observer,
      reporter,
      peerRuns: this.peerRuns,
      faults: this.api.faults,
      reminders: this.work.reminders
    })
    this.#daprd = new RunDaprd({env, run: marker, watchdog: this.watchdog, reporter})
    this.changes = this.#createChanges(reporter)
    this.starts = new StartOrder({shownAs: plan.shownAs, emit, reporter, runtimes: () => this.apps.all, isOver})
    this.appRuntimes = this.#createAppRuntimes(reporter)
    this.appCloser = this.#createAppCloser(reporter)
    this.apps = this.#createApps(ended)
  }

  /** What commands call the run; '' before it is registered. */
  get name(): string {
    return this.#registration?.name ?? ''
  }

  /** Opens the components of all apps. */
  async openComponents(): Promise<void> {
    await this.#ofSidecars(sidecar => sidecar.openComponents())
    await this.components.tellShared()
  }

  /** Ends the real daprds, once no app needs them. */
  async endDaprds(): Promise<void> {
    await this.#ofSidecars(sidecar => sidecar.endDaprd())
  }

  /** Opens the socket in `folder` by which other terminals find the run. */
  async register(folder: string): Promise<void> {
    const {plan} = this.options
    const about = {
      marker: this.marker,
      graceMs: longestGraceMs(plan),
      identity: runIdentity(plan),
      wish: {asked: plan.copy, folder: plan.file === '' ? process.cwd() : dirname(plan.file)}
    }
    this.control = this.#createControl()
    this.#registration = await register(folder, about, this.api.serve)
  }

  /** Closes that socket, so that the run is no longer found. */
  async withdraw(): Promise<void> {
    await this.#registration?.withdraw()
  }

  #createApi(): RunApi {
    return new RunApi({
      recorder: this.#recorder,
      sidecars: this.#sidecars,
      apps: () => this.apps,
      changes: () => this.changes,
      routes: () => this.routes,
      control: () => this.control,
      runLog: () => this.appRuntimes.runLog,
      workflows: async () => this.work.workflows(),
      knownWorkflows: async () => this.work.knownWorkflows(),
      knownWork: async () => this.work.known(),
      jobs: async () => this.work.jobs(),
      onWorkflow: listener => this.work.onWorkflow(listener),
      actors: {loaded: () => this.actors.loaded, reminders: async () => (await this.work.known()).reminders()},
      options: () => this.options
    })
  }

  #createPeerRuns(): PeerRuns {
    const {env, plan} = this.options
    return new PeerRuns({
      env,
      own: {file: plan.file, copy: plan.copy ?? ''},
      run: this.marker,
      identify: id => this.routes.versions.identify(id),
      known: () => this.routes.versions.runtimes.map(({id}) => id)
    })
  }

  #createAppCloser(reporter: Reporter): AppCloser {
    const {stopRequested, now} = this.#lifetime
    return new AppCloser({
      sidecars: this.#sidecars,
      stopRequested,
      now,
      leaves: runtime => {
        this.changes.leave(runtime)
        this.routes.versions.remove(runtime)
        this.services.forget(runtime)
      },
      letGo: this.actors.present,
      reporter
    })
  }

  #createApps(ended: RunPartsOptions['ended']): Apps {
    return new Apps({
      plan: this.options.plan,
      runtimes: this.appRuntimes,
      starts: this.starts,
      closer: this.appCloser,
      sidecars: this.#sidecars,
      openSidecar: async runtime => this.#openSidecar(runtime),
      joins: runtime => {
        this.routes.versions.add(runtime)
        this.services.add(runtime)
        this.changes.join(runtime)
      },
      broughtIn: app => this.changes.broughtIn(app),
      arranged: all => this.routes.versions.arrange(all),
      isMain: runtime => this.routes.versions.isMain(runtime),
      stopRequested: this.#lifetime.stopRequested,
      isOver: () => this.#lifetime.isOver,
      end: async () => {
        this.#stop()
        await ended
      }
    })
  }

  #createRoutes(reporter: Reporter): Routes<AppRuntime> {
    return new Routes({
      planned: this.options.plan.apps,
      elsewhere: this.#borrowing.elsewhere,
      reopening: id => this.apps.reopening(id),
      observer: this.#recorder.observer,
      reporter
    })
  }

  #createServices(reporter: Reporter): Services {
    return new Services({
      ...this.options,
      run: this.marker,
      key: this.#key,
      routes: this.routes,
      observer: this.#recorder.observer,
      faults: this.api.faults,
      reporter,
      remove: async runtime => this.apps.inTurn(async () => this.apps.remove(runtime)),
      add: async app => this.apps.add(app)
    })
  }

  #createChanges(reporter: Reporter): Changes {
    const {plan, reread, hints, emit} = this.options
    return new Changes({
      plan,
      since: this.#startedAt,
      reread,
      hints,
      runtimes: () => this.apps.open,
      letGo: this.actors.present,
      finishWork: this.work.present,
      resumeWork: runtime => {
        this.work.resume(runtime)
        this.actors.resume(runtime)
      },
      emit,
      reporter,
      apps: () => this.apps
    })
  }

  #createAppRuntimes(reporter: Reporter): AppRuntimes {
    return new AppRuntimes({
      ...this.options,
      run: this.marker,
      routes: this.routes,
      services: this.services,
      watchdog: this.watchdog,
      maySpawn: () => !this.#lifetime.isOver,
      explain: (id, pendingCall) => this.changes.callCycle(id, pendingCall),
      moved: () => this.starts.look(),
      died: (runtime, exit) => this.#recorder.died(runtime, exit),
      spare: marker => this.#spare(marker),
      reporter
    })
  }

  #createControl(): RunControl {
    const {plan, env, reread} = this.options
    const {marker: run, apps, changes, starts, services, routes} = this
    const startedAt = this.#startedAt
    const sidecars = this.#sidecars
    return {
      list: () =>
        listingOf({
          plan,
          name: this.name,
          run,
          startedAt,
          isTemplateFollowed: reread !== undefined,
          apps,
          edges: this.#recorder.calls.edges,
          isMain: runtime => routes.versions.isMain(runtime),
          sidecarOf: runtime => sidecars.get(runtime),
          waitingWork: runtime => this.work.waitingWork(runtime)
        }),
      stop: () => this.#stop(),
      stopApp: async id => apps.stop(id),
      releaseRedis: port => this.components.releaseRedis(port),
      ...this.api.control,
      ...services.control,
      ...appControl({
        changes,
        starts,
        run,
        startedAt,
        key: this.#key,
        env,
        apps,
        sidecars,
        runLog: this.appRuntimes.runLog,
        main: id => routes.versions.main(id),
        isEnding: () => this.#lifetime.isOver
      })
    }
  }

  async #openSidecar(runtime: AppRuntime): Promise<void> {
    const {plan, env, emit} = this.options
    const {routes, services} = this
    const sidecar = await openAppSidecar({
      runtime,
      plan,
      env,
      resources: await this.resources.open(runtime.plan),
      components: () => this.components.load(),
      daprd: this.#daprd,
      work: this.work,
      actors: this.actors,
      apps: this.#borrowing.lending(routes.admitFor(runtime)),
      protocolOf: id => routes.protocolOf(id),
      mounted: await services.managerApiOf(runtime),
      copierOf: routes.copierOf,
      observer: this.#recorder.observer,
      faults: this.api.faults,
      show: text => emit({type: 'policy-decided', text}),
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
    this.#lifetime.isForced ||= isForced
    if (isForced) runtime.stopNow()
    await this.apps.stop(`${runtime.id}.${runtime.plan.instance}`)
  }

  /** Processes that left the group of this app process survive the run, also if the watchdog or a sweep ends it. */
  #spare(marker: string): void {
    this.watchdog.spare(marker)
    this.#registration?.spare(marker)
  }
}
