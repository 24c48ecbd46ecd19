// host/ is one run, wired: it knows every module and hands each what it asks for. Reads as the list of what a run does:
// ports, logs, sidecars, the socket, apps; and backwards at the end.
import {randomBytes} from 'node:crypto'
import {endMarked} from '../supervisor/process/end-group.ts'
import type {Watchdog} from '../supervisor/process/watchdog.ts'
import {preparePipes} from '../supervisor/process/supervised-app.ts'
import {closePipes} from '../platform/pipes.ts'
import {existingFolders, runtimeFolders, usableFolder} from '../control/folder.ts'
import type {RunListing} from '../control/messages.ts'
import {homeOf, register, type Registration} from '../control/server.ts'
import {messageOf} from '../model/errors.ts'
import type {AppPlan} from '../model/plan.ts'
import {succeeded, type AppState} from '../model/app-state.ts'
import {controlHandlers} from './control-handlers.ts'
import {admitBy} from '../gateway/local-apps.ts'
import {Changes} from '../supervisor/reload/changes.ts'
import {withDeadline} from '../supervisor/reload/deadline.ts'
import {claimAll, nameOwner} from '../ports/claim-all.ts'
import {openAppSidecar, type OpenSidecar} from '../sidecar/open-sidecar.ts'
import {watchdogFor, longestGraceMs} from '../supervisor/run-watchdog.ts'
import {listingOf} from './listing.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {AppRuntimes} from './create-app-runtimes.ts'
import type {RunOptions} from './run-options.ts'
import {PeerRuns} from '../gateway/peer-runs.ts'
import {cutText} from '../supervisor/messages/cut.ts'
import {noteText} from '../supervisor/messages/note-text.ts'
import {ExternalEndpoints} from '../gateway/external-endpoints.ts'
import {claimPorts} from '../ports/claim.ts'
import {isStartedAtOnce, StartOrder} from '../supervisor/order/start-order.ts'
import {Services} from '../daeploy/services/services.ts'
import {sweep} from './sweep.ts'
import {warnDuplicateRun} from './duplicate-run.ts'
import {warnOfUnbuilt, warnOfUnenforced} from './not-built.ts'

/** All apps of a plan, from the first port to the last process. */
export class Run {
  /** Settles when nothing of the run is left; whether all went well. */
  readonly ended: Promise<boolean>
  readonly #options: RunOptions
  /** The mark of everything that belongs to this run. */
  readonly #marker = randomBytes(16).toString('hex')
  readonly #startedAt = Date.now()
  readonly #end = Promise.withResolvers<boolean>()
  readonly #sidecars = new Map<AppRuntime, OpenSidecar>()
  readonly #notes: string[] = []
  /** Aborted when the run is to end. */
  readonly #asked = new AbortController()
  /** Aborted when it is to end without its grace. */
  readonly #now = new AbortController()
  /** Apps that are being stopped, or have been, while the run goes on. */
  readonly #leaving = new Map<AppRuntime, Promise<void>>()
  readonly #watchdog: Watchdog
  /** What other runs say at our sidecars when they speak for their apps. */
  readonly #key = randomBytes(16).toString('hex')
  readonly #peerRuns: PeerRuns
  readonly #services: Services
  readonly #appRuntimes: AppRuntimes
  readonly #changes: Changes
  readonly #starts: StartOrder
  #runtimes: readonly AppRuntime[] = []
  #registration: Registration | undefined
  /** Ports, sidecars and socket stand: there is something to take down. */
  #isWired = false
  #areStarted = false
  #isEnding = false

  constructor(options: RunOptions) {
    this.#options = options
    const {plan, shell} = options
    this.#watchdog = watchdogFor({plan, shell, marker: this.#marker, tell: text => this.#note(text)})
    this.#peerRuns = new PeerRuns({
      shell: options.shell,
      run: this.#marker,
      known: () => this.#services.versions.runtimes.map(({id}) => id)
    })
    this.#services = new Services({
      ...options,
      run: this.#marker,
      elsewhere: this.#peerRuns.admit,
      note: text => this.#note(text),
      remove: async runtime => this.#close(runtime),
      add: async app => this.#openLate(app, this.#runtimes.length)
    })
    this.#changes = new Changes({
      plan,
      since: this.#startedAt,
      reread: options.reread,
      runtimes: () => this.#running(),
      emit: options.emit,
      open: async (app, index) => this.#openLate(app, index),
      close: async runtime => this.#close(runtime)
    })
    this.#starts = new StartOrder({
      shownAs: plan.shownAs,
      emit: options.emit,
      note: text => this.#note(text),
      isOver: () => this.#isAsked || this.#isEnding
    })
    this.#appRuntimes = new AppRuntimes({
      ...options,
      run: this.#marker,
      services: this.#services,
      watchdog: this.#watchdog,
      maySpawn: () => !this.#isAsked && !this.#isEnding,
      explain: (id, pendingCall) => this.#changes.callCycle(id, pendingCall),
      moved: () => this.#starts.look(),
      spare: marker => this.#spare(marker),
      note: text => this.#note(text)
    })
    this.ended = this.#end.promise
  }

  /** Settles when the start lines of all apps are out that wait for no other. Throws a UserError, with nothing left behind, where a port is taken. */
  async start(): Promise<void> {
    const {plan} = this.#options
    const folders = runtimeFolders(this.#options.shell)
    const folder = usableFolder(folders)
    existingFolders(folders, text => this.#note(text)) // told once; whoever looks for other runs skips them in silence
    const pipes = preparePipes(plan.apps.filter(isStartedAtOnce).length)
    try {
      await this.#wire(folder)
    } catch (error) {
      for (const each of await pipes) closePipes(each)
      throw error
    }
    await this.#starts.begin(this.#runtimes, await pipes)
    this.#areStarted = true
    this.#services.tell()
    for (const text of [...warnOfUnbuilt(plan), ...warnOfUnenforced(plan), ...this.#notes])
      this.#options.emit({type: 'warned', text})
    void warnDuplicateRun({plan, run: this.#marker, shell: this.#options.shell, tell: text => this.#note(text)})
    const swept = sweep({env: this.#options.shell, tell: text => this.#note(text)})
    void this.#inBackground('what killed runs have left behind is not removed', swept)
    if (this.#isAsked) void this.#finish()
    else if (plan.apps.length > 0) void this.#allEnded().then(async () => this.#finish())
    void this.#inBackground('changes of files are not followed', this.#changes.begin())
  }

  /** Ports, sidecars and the socket by which other terminals find the run. */
  async #wire(folder: string): Promise<void> {
    const {plan} = this.#options
    const claims = await claimAll(plan)
    this.#runtimes = await this.#appRuntimes.all(claims.sidecars)
    for (const runtime of this.#runtimes) this.#services.add(runtime)
    for (const runtime of this.#runtimes) this.#sidecars.set(runtime, this.#openAppSidecar(runtime))
    this.#services.open(claims.manager)
    const about = {marker: this.#marker, graceMs: longestGraceMs(plan)}
    this.#registration = await register(folder, about, {
      list: () => this.#listing(),
      stop: () => this.stop(),
      stopApp: async id => this.#stopApp(id),
      ...this.#services.answers,
      ...controlHandlers({
        restart: async runtimes => this.#changes.restart(runtimes),
        run: this.#marker,
        startedAt: this.#startedAt,
        key: this.#key,
        sidecars: this.#sidecars,
        main: id => this.#services.versions.main(id),
        isEnding: () => this.#isAsked || this.#isEnding
      })
    })
    this.#watchdog.start(homeOf(folder, this.#marker))
    this.#isWired = true
  }

  /** Asks for the end: SIGTERM to every app at once, and after its grace SIGKILL. */
  stop(): void {
    if (this.#isAsked || this.#isEnding) return
    this.#asked.abort()
    this.#changes.end()
    this.#options.emit({type: 'stopping'})
    for (const runtime of this.#runtimes) runtime.announceEnd()
    if (this.#isWired) void this.#finish()
  }

  /** The end without a grace. */
  stopNow(): void {
    this.stop()
    this.#now.abort()
    for (const runtime of this.#runtimes) runtime.stopNow()
  }

  /** What has left the groups of this process is not to be ended with the run, nor by those who end it for us. */
  #spare(marker: string): void {
    this.#watchdog.spare(marker)
    this.#registration?.spare(marker)
  }

  #openAppSidecar(runtime: AppRuntime): OpenSidecar {
    const outside = new ExternalEndpoints({
      plan: runtime.plan,
      env: this.#options.shell,
      warn: text => this.#note(text),
      inside: admitBy(id => this.#services.versions.main(id), this.#peerRuns.admit)
    })
    return openAppSidecar({
      runtime,
      plan: this.#options.plan,
      shell: this.#options.shell,
      outside,
      mounted: this.#services.managerApiOf(runtime),
      copierOf: this.#services.copierOf,
      key: this.#key,
      requestShutdown: () => void this.#stopApp(runtime.id)
    })
  }

  get #isAsked(): boolean {
    return this.#asked.signal.aborted
  }

  /** Settles when no app runs, nor is started again. */
  async #allEnded(): Promise<void> {
    do {
      await Promise.all(this.#runtimes.map(async ({app}) => app.ended))
      await new Promise(setImmediate) // one that is being exchanged is not there yet
    } while (!this.#runtimes.every(({hasEnded}) => hasEnded))
  }

  /** Those whose sidecar is open. */
  #running(): readonly AppRuntime[] {
    return this.#runtimes.filter(runtime => this.#sidecars.has(runtime))
  }

  /** Ends an app and its sidecar, shadows before the main version: none of them is to answer in its place. With the last sidecar the run ends. */
  async #stopApp(id: string): Promise<boolean> {
    const meant = this.#running().filter(runtime => runtime.id === id)
    if (meant.length === 0) return false
    const shadows = this.#services.versions.shadows(id)
    await this.#closeAll(meant.filter(runtime => shadows.includes(runtime)))
    if (this.#running().every(runtime => runtime.id === id)) {
      await Promise.all(this.#running().map(async runtime => this.#drain(runtime)))
      this.stop()
      await this.ended
    } else await this.#closeAll(meant.filter(runtime => !shadows.includes(runtime)))
    return true
  }

  async #closeAll(runtimes: readonly AppRuntime[]): Promise<void> {
    await Promise.all(runtimes.map(async runtime => this.#close(runtime)))
  }

  /** An app that has come to the template. */
  async #openLate(app: AppPlan, index: number): Promise<void> {
    const [ports] = await claimPorts({...this.#options.plan, apps: [app]}, nameOwner)
    const runtime = await this.#appRuntimes.one(app, ports, index)
    this.#services.add(runtime)
    this.#runtimes = this.#runtimes.toSpliced(index, 0, runtime)
    this.#sidecars.set(runtime, this.#openAppSidecar(runtime))
    if (this.#isAsked || this.#isEnding) return this.#close(runtime)
    await this.#starts.late(runtime, this.#runtimes)
  }

  /** Ends an app, and then its sidecar, while the run goes on. */
  async #close(runtime: AppRuntime): Promise<void> {
    const leaving = this.#leaving.get(runtime) ?? this.#leave(runtime)
    this.#leaving.set(runtime, leaving)
    await leaving
  }

  async #leave(runtime: AppRuntime): Promise<void> {
    await withDeadline({ms: runtime.plan.stop.timeoutMs, over: this.#now.signal}, async cut => {
      await this.#drain(runtime)
      await runtime.stop('user')
      await this.#closeSidecar(runtime, cut)
    })
  }

  /** Refuses new calls to an app and lets those in flight finish within its grace, then cancels them. */
  async #drain(runtime: AppRuntime): Promise<void> {
    this.#changes.leave(runtime)
    this.#services.forget(runtime)
    this.#sidecars.get(runtime)?.announceEnd()
    const {id, queue, plan} = runtime
    const ms = plan.stop.timeoutMs
    const over = this.#asked.signal
    if (await withDeadline({ms, over}, async late => runtime.drained(late))) return
    const left = [...queue.inside.keys()]
    if (over.aborted || left.length === 0) return
    this.#note(cutText({id, left, ms, after: 'it was to stop'}))
    runtime.cutCalls()
  }

  async #closeSidecar(runtime: AppRuntime, cut: AbortSignal): Promise<void> {
    const sidecar = this.#sidecars.get(runtime)
    this.#sidecars.delete(runtime)
    await sidecar?.close(cut)
    await runtime.closeLogs()
  }

  /** Ends the run, and resolves `ended`. */
  async #finish(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#changes.end()
    try {
      const ms = longestGraceMs(this.#options.plan)
      const states = await withDeadline({ms, over: this.#now.signal}, async cut => this.#takeDown(ms, cut))
      await this.#registration?.withdraw()
      this.#end.resolve(
        this.#isAsked ||
          (!this.#starts.lacksOne &&
            states.every(state => state.phase === 'exited' && (state.asked || succeeded(state.exit))))
      )
    } catch (error) {
      this.#end.reject(error)
    }
  }

  /** Every app at once; sidecars stay open until the last one is gone, then what carries the run's mark, sidecars, files. */
  async #takeDown(graceMs: number, cut: AbortSignal): Promise<readonly AppState[]> {
    const states = await Promise.all(this.#runtimes.map(async runtime => runtime.stop('run ends')))
    await endMarked({
      marker: `PILLION_RUN=${this.#marker}`,
      spared: this.#runtimes.flatMap(runtime => runtime.sparedMarkers),
      graceMs,
      now: this.#now.signal,
      ended: orphan => this.#note(noteText('', {type: 'orphan-ended', ...orphan}))
    })
    const runtimes = this.#runtimes.map(async runtime => this.#leaving.get(runtime) ?? this.#closeSidecar(runtime, cut))
    await Promise.all([this.#watchdog.dismiss(), this.#services.close(cut), ...runtimes])
    this.#peerRuns.close()
    return states
  }

  /** Work that the run can do without: where it fails, `what` is told with the reason, and the run goes on. */
  async #inBackground(what: string, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#note(`${what}: ${messageOf(error)}`)
    }
  }

  #note(text: string): void {
    if (this.#areStarted || this.#isEnding) this.#options.emit({type: 'warned', text})
    else this.#notes.push(text)
  }

  #listing(): RunListing {
    const {versions} = this.#services
    return listingOf({
      plan: this.#options.plan,
      run: this.#marker,
      startedAt: this.#startedAt,
      runtimes: this.#running(),
      isMain: runtime => versions.isMain(runtime)
    })
  }
}
