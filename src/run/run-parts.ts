import {Services} from '#daeploy'
import type {RunControl} from '../control/run-control.ts'
import {systemClock} from '../platform/clock.ts'
import {randomHex} from '../platform/random.ts'
import {register, type Registration} from '../control/server.ts'
import {PeerRuns} from '../control/peer-runs.ts'
import {Routes} from '../proxy/gateway/routes.ts'
import {openAppSidecar, type OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {StartOrder} from '../supervisor/order/start-order.ts'
import type {Watchdog} from '../supervisor/process/watchdog.ts'
import {Changes} from './edits/changes.ts'
import {longestGraceMs, watchdogFor} from '../supervisor/run-watchdog.ts'
import {Apps} from './apps/apps.ts'
import {AppCloser} from './apps/close-app.ts'
import {AppRuntimes} from './apps/create-app-runtimes.ts'
import {appControl} from './app-control.ts'
import type {ServerRefusal} from './foreign-servers.ts'
import type {Lifetime} from './lifetime.ts'
import {listingOf, registrantOf} from './listing.ts'
import {RunApi} from './run-api.ts'
import {denyUnknown} from '../proxy/gateway/unknown-app.ts'
import {RunComponents} from './run-components.ts'
import {DaprUse} from './dapr-use.ts'
import {RunDaprd} from './run-daprd.ts'
import type {RunOptions} from './run-options.ts'
import {RunRecorder} from './run-recorder.ts'
import {createContext, type RunContext} from './run-context.ts'
import {inBackground, observed} from './run-reporter.ts'
import {RunMemory} from './run-memory.ts'
import {RunNames} from './run-names.ts'
import {RunPublished} from './run-published.ts'
import {RunActors} from './run-actors.ts'
import {RunWork} from './run-work.ts'
import {RunResources} from './run-resources.ts'
import {RunSleep} from './run-sleep.ts'
import {RunSpans} from './run-spans.ts'

/** The parts of a run, and how they are connected. `Run` starts and stops them. */
export class RunParts {
  /** Context of the run, whose events also reach its recorder and its API. */
  readonly context: RunContext
  /** Handles requests to the run; undefined before it is registered. */
  control: RunControl | undefined
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
  readonly published: RunPublished
  readonly names: RunNames
  readonly spans: RunSpans
  readonly sleep: RunSleep
  readonly #recorder: RunRecorder
  readonly memory: RunMemory
  readonly #daprd: RunDaprd
  readonly #sidecars = new Map<AppRuntime, OpenSidecar>()
  readonly #daprUse = new DaprUse(() => this.#sidecars.keys())
  /** The key with which other runs of the user identify themselves at the sidecars of this run. */
  readonly #key = randomHex(16)
  readonly #serverRefusal: ServerRefusal
  readonly #stop: () => void
  #registration: Registration | undefined

  constructor(run: RunOptions, lifetime: Lifetime, stop: () => void, ended: Promise<unknown>) {
    this.#stop = stop
    const runtimes = (): readonly AppRuntime[] => this.apps.all
    this.#recorder = new RunRecorder({
      runtimes,
      workflows: () => this.work.openWorkflows(),
      onDeath: death => void this.memory.keepExit(death),
      adviceFor: async (runtime, hints) =>
        (await import('./taken-port.ts')).takenPort({...this.context, reporter: hints}, runtime)
    })
    this.api = this.#createApi()
    const context = createContext(observed(run, [this.#recorder, this.api]), lifetime)
    this.context = context
    this.memory = new RunMemory(context, this.#recorder)
    const {plan, env, emit, reporter} = context
    this.watchdog = watchdogFor({plan, env, marker: context.run, reporter})
    this.peerRuns = new PeerRuns({
      env,
      own: {file: plan.file, copy: plan.copy ?? ''},
      run: context.run,
      identify: id => this.routes.versions.identify(id),
      known: () => this.routes.versions.runtimes.map(({id}) => id)
    })
    this.routes = this.#createRoutes()
    this.services = this.#createServices()
    this.resources = new RunResources(context, () => this.work.settingsChanged())
    this.#serverRefusal = async (...server) => (await import('./foreign-servers.ts')).refuseServer(context, ...server)
    this.components = new RunComponents(context, this.#serverRefusal)
    const tracingOf = (id: string) => this.resources.snapshotOf(id)?.configuration.tracing
    this.spans = new RunSpans({reporter, recorder: this.#recorder.calls, runtimes, tracingOf})
    this.work = new RunWork({
      ...context,
      runtimes,
      resourcesOf: id => this.resources.snapshotOf(id),
      knowLeftOut: async () => this.resources.knowLeftOut(this.apps.leftOut()),
      actors: async () => this.actors.load(),
      sidecars: this.#sidecars,
      needsWorker: app => this.sleep.needsWorker(app),
      hasWorker: app => this.sleep.hasWorker(app)
    })
    const {observer, calls: recorder} = this.#recorder
    const ofActors = {sidecars: this.#sidecars, observer, reporter, peerRuns: this.peerRuns, faults: this.api.faults}
    this.actors = new RunActors({...ofActors, opened: this.#daprUse.begin}, this.work.reminders, this.work.remindersOf)
    this.#daprd = new RunDaprd(context, this.watchdog)
    this.changes = this.#createChanges()
    this.starts = new StartOrder({
      shownAs: plan.shownAs,
      emit,
      reporter,
      runtimes,
      lost: () => this.apps.failedIds,
      isOver: () => lifetime.isOver
    })
    const {changes, starts, work} = this
    const {ownerOf, isChanging} = changes
    const ofSleep = {context, runtimes, starts, ownerOf, isChanging, recorder, work, sidecars: this.#sidecars}
    this.sleep = new RunSleep(ofSleep)
    this.published = new RunPublished(context, {
      observer,
      faults: this.api.faults,
      routes: () => this.routes,
      whyStopped: id => this.apps.whyStopped(id),
      answering: () => this.names.show.answering,
      appOf: marker => this.appRuntimes.appOf(marker),
      takenOver: takenOver => void this.#registration?.update({takenOver})
    })
    const {published, api} = this
    const changed: Registration['update'] = async facts => this.#registration?.update(facts)
    this.names = new RunNames({context, published, runtimes, serveDashboard: api.serveDashboard, changed})
    this.appRuntimes = this.#createAppRuntimes()
    this.appCloser = this.#createAppCloser()
    this.apps = this.#createApps(ended)
  }

  /** The name of the run for commands; '' before it is registered. */
  get name(): string {
    return this.#registration?.name ?? ''
  }

  async openComponents(): Promise<void> {
    await this.#ofSidecars(sidecar => sidecar.openComponents())
    await this.components.tellShared()
  }

  /** Ends the real daprds once no app needs them. */
  async endDaprds(): Promise<void> {
    await this.#ofSidecars(sidecar => sidecar.endDaprd())
  }

  /** Opens the socket in `folder` by which other terminals find the run. */
  async register(folder: string): Promise<void> {
    this.control = this.#createControl()
    const about = registrantOf(this.context, this.names.asked)
    this.#registration = await register(folder, about, this.api.serve, systemClock, this.names.onUpgrade)
    this.names.registered(this.#registration.taken)
    await this.published.follow()
  }

  /** Closes the control socket, so that the run is no longer found. */
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
      work: () => this.work,
      actors: {
        loaded: () => this.actors.loaded,
        reminders: async () => (await this.work.known()).reminders(),
        stateOf: async (at, ...of) =>
          (await [...this.#sidecars].find(([{home}]) => home === at)?.[1].actorState(...of)) ?? []
      },
      options: () => this.context,
      names: () => this.names
    })
  }

  #createAppCloser(): AppCloser {
    return new AppCloser({
      ...this.context,
      sidecars: this.#sidecars,
      close: async (runtime, ...how) => this.changes.ownerOf(runtime).close(...how),
      ends: runtime => {
        this.changes.leave(runtime)
        this.starts.leave(runtime)
      },
      leaves: runtime => this.routes.versions.remove(runtime),
      letGo: this.actors.present
    })
  }

  #createApps(ended: Promise<unknown>): Apps {
    return new Apps({
      ...this.context,
      runtimes: this.appRuntimes,
      starts: this.starts,
      closer: this.appCloser,
      published: this.published,
      sidecars: this.#sidecars,
      openSidecar: async runtime => this.#openSidecar(runtime),
      joins: runtime => {
        this.#recorder.refresh([runtime])
        this.routes.versions.add(runtime)
        this.services.add(runtime)
        this.changes.join(runtime)
      },
      leavesOut: async plans =>
        inBackground(this.context.reporter, 'cannot read resources', this.resources.leaveOut(plans)),
      removed: id => {
        this.work.appRemoved(id)
        this.resources.appRemoved(id)
      },
      arranged: all => {
        this.routes.versions.arrange(all)
        this.services.keepOnly(all)
        const ids = all.map(({id}) => id)
        // the plan before an edit counts, too: apps that leave still run by it
        const graceMs = longestGraceMs(this.apps.all.flatMap(({plan: was, wanted}) => [was, wanted]))
        void this.#registration?.update({appIds: ids, ...this.names.update(all, this.apps.leftOut())}, graceMs)
      },
      isMain: runtime => this.routes.versions.isMain(runtime),
      freePortFor: async plan => this.components.giveWay(plan),
      calls: (caller, callee) =>
        this.#recorder.calls.edges.all.some(edge => edge.caller === caller && edge.callee === callee),
      end: async () => {
        this.#stop()
        await ended
      }
    })
  }

  #createRoutes(): Routes<AppRuntime> {
    const {plan, reporter} = this.context
    return new Routes({
      planned: plan.apps,
      elsewhere: (call, isRefused) => {
        // an app that was stopped here, or left out, is not searched for in other runs
        const why = this.apps.whyStopped(call.callee)
        return why === '' ? this.peerRuns.admit(call, isRefused) : denyUnknown(call.callee, why)
      },
      observer: this.#recorder.observer,
      reporter
    })
  }

  #createServices(): Services {
    return new Services({
      ...this.context,
      key: this.#key,
      routes: this.routes,
      observer: this.#recorder.observer,
      faults: this.api.faults,
      remove: async (id, version) => this.apps.removeVersion(id, version),
      add: async app => this.apps.add(app)
    })
  }

  #createChanges(): Changes {
    const {startedAt, readAt = startedAt, reread, reporter} = this.context
    return new Changes({
      ...this.context,
      since: readAt,
      reread,
      onEdited: () => {
        this.sleep.onEdited()
        void inBackground(reporter, 'cannot read resources again', this.resources.edited())
      },
      letGo: this.actors.present,
      letGoMs: this.actors.drainMs,
      keepHosted: runtime => this.actors.resume(runtime),
      finishWork: this.work.present,
      resumeWork: runtime => this.work.resume(runtime),
      apps: () => this.apps,
      queue: async runtime => this.starts.again(runtime)
    })
  }

  #createAppRuntimes(): AppRuntimes {
    return new AppRuntimes({
      ...this.context,
      routes: this.routes,
      services: this.services,
      published: this.published,
      names: this.names,
      spans: this.spans,
      watchdog: this.watchdog,
      serverRefusal: this.#serverRefusal,
      explain: (id, pendingCall) => this.changes.callCycle(id, pendingCall),
      sleep: this.sleep,
      died: (...ended) => this.#recorder.died(...ended),
      spare: marker => this.#spare(marker)
    })
  }

  #createControl(): RunControl {
    const {apps, changes, services, routes} = this
    const sidecars = this.#sidecars
    return {
      list: () =>
        listingOf({
          ...this.context,
          name: this.name,
          isTemplateFollowed: this.context.reread !== undefined,
          isEnding: this.context.lifetime.isOver,
          apps,
          edges: this.#recorder.calls.edges,
          isMain: runtime => routes.versions.isMain(runtime),
          sidecarOf: runtime => sidecars.get(runtime),
          waitingWork: runtime => this.work.waitingWork(runtime),
          shown: this.names.facts,
          nameOf: id => this.names.factsOf(id)
        }),
      stop: () => this.#stop(),
      stopApp: async id => apps.stop(() => apps.named(id)),
      show: async asked => this.names.show.take(asked),
      releaseRedis: port => this.components.releaseRedis(port),
      ...this.api.control,
      ...services.control,
      ...appControl({
        ...this.context,
        changes,
        key: this.#key,
        apps,
        sidecars,
        runLog: this.appRuntimes.runLog,
        main: id => routes.versions.main(id)
      })
    }
  }

  async #openSidecar(runtime: AppRuntime): Promise<void> {
    const {plan, env, emit, lifetime} = this.context
    await this.services.openApis()
    const sidecar = await openAppSidecar({
      runtime,
      plan,
      env,
      resources: await this.resources.open(runtime),
      components: () => this.components.load(),
      daprd: this.#daprd,
      work: this.work,
      actors: this.actors,
      apps: this.#daprUse.seen(runtime.id, this.routes.admitFor(runtime)),
      used: this.#daprUse.begin,
      protocolOf: id => this.routes.protocolOf(id),
      mounted: () => this.services.apiOf(runtime),
      copierOf: this.routes.copierOf,
      ending: lifetime.stopRequested,
      observer: this.#recorder.observer,
      faults: this.api.faults,
      show: text => emit({type: 'policy-decided', text}),
      key: this.#key,
      requestShutdown: isForced => void this.#shutDown(runtime, isForced)
    })
    this.#sidecars.set(runtime, sidecar)
    this.#daprUse.join(runtime)
    if (this.#registration !== undefined) await sidecar.openComponents()
  }

  async #ofSidecars(work: (sidecar: OpenSidecar) => Promise<void>): Promise<void> {
    await Promise.all([...this.#sidecars.values()].map(work))
  }

  /** Shuts an app down as its own sidecar was asked to; `isForced`: without time to finish, and the run has failed. */
  async #shutDown(runtime: AppRuntime, isForced: boolean): Promise<void> {
    this.context.lifetime.isForced ||= isForced
    if (isForced) runtime.stopNow()
    await this.apps.stop(() => [runtime])
  }

  /** Spares processes that left the group of this app process: they survive the run, even if the watchdog or a sweep ends it. */
  #spare(marker: string): void {
    this.watchdog.spare(marker)
    this.#registration?.spare(marker)
  }
}
