// run/ connects all modules to one run: it starts ports, logs, sidecars, the control socket and apps, and stops them in
// reverse order.
import {existingFolders, runtimeFolders, usableFolder} from '../control/folder.ts'
import type {RunControl} from '../control/run-control.ts'
import {homeOf} from '../control/server.ts'
import type {KeyMode} from '../platform/key-mode.ts'
import {closePipes} from '../platform/pipes.ts'
import {claimAll, releaseAll, type Claims} from '../proxy/ports/claim-all.ts'
import {isPiped} from '../supervisor/order/start-order.ts'
import {preparePipes} from '../supervisor/process/process-pipes.ts'
import {withDeadline} from '../supervisor/reload/deadline.ts'
import {endApps} from './apps/close-app.ts'
import {Lifetime} from './lifetime.ts'
import type {RunApi} from './run-api.ts'
import {addPlanned} from './run-faults.ts'
import type {RunOptions} from './run-options.ts'
import {RunParts} from './run-parts.ts'
import {exceptedText, inBackground} from './run-reporter.ts'
import {isKept} from '../work/work-path.ts'
import {Stages, type Stage} from './stages.ts'
import {sweep, sweepFormer} from './sweep.ts'
import {longestGraceMs} from '../supervisor/run-watchdog.ts'
import {warnDuplicateRun} from './duplicate-run.ts'

/** All apps of a plan, from the first port to the last process. */
export class Run {
  readonly #end = Promise.withResolvers<boolean>()
  /** Settles when the run has ended completely; true if all apps succeeded. */
  readonly ended = this.#end.promise
  readonly #lifetime = new Lifetime()
  readonly #parts: RunParts
  readonly #stages = new Stages()
  #finishing: Promise<void> | undefined

  constructor(options: RunOptions) {
    this.#parts = new RunParts(options, this.#lifetime, () => this.stop(), this.ended)
  }

  get api(): RunApi {
    return this.#parts.api
  }

  /** Handles requests to the run; undefined before it is registered. */
  get control(): RunControl | undefined {
    return this.#parts.control
  }

  /**
   * Settles when the start lines of all apps without dependencies are printed, or the run was stopped before. Throws a UserError if a
   * port is taken. Leaves nothing behind after an error.
   */
  async start(): Promise<void> {
    const {context, starts} = this.#parts
    const {plan, env, reporter} = context
    if (env['PILLION_REDIS'] !== undefined) (await import('#redis')).redisMode(env) // a misspelt one is reported now
    isKept({env}) // a misspelt setting of what is kept is reported now, too
    if (process.pid === 1 && !(await import('../platform/reap-orphans.ts')).reapOrphans())
      reporter.warn('zombies-kept', 'Pillion is PID 1 and reaps no orphans: start the container with docker run --init')
    const folders = runtimeFolders(env)
    const folder = usableFolder(folders)
    existingFolders(folders, text => reporter.warn('runtime-folder-skipped', text)) // warns once; later searches skip such folders silently
    const pipes = preparePipes(plan.apps.filter(isPiped).length)
    if (!(await this.#wire(folder, pipes))) return this.#finish()
    this.#lifetime.phase = 'starting'
    await starts.begin(await pipes)
    const {isOver} = this.#lifetime
    if (!isOver) this.#lifetime.phase = 'running'
    this.#report()
    if (isOver) return
    if (plan.apps.length > 0) void this.#parts.apps.ended().then(async () => this.#finish())
    this.#beginBackground()
  }

  /** If the run is killed, the watchdog restores the modes of this terminal; undefined: nothing to restore. */
  guardTerminal(mode: KeyMode | undefined): void {
    this.#parts.watchdog.guardTerminal(mode)
  }

  /** Stops the run: SIGTERM to every app, dependents first, and SIGKILL after the grace period. */
  stop(): void {
    if (this.#lifetime.isOver) return
    const {changes, context, apps} = this.#parts
    const isWired = this.#lifetime.phase !== 'wiring'
    this.#lifetime.requestStop()
    changes.end()
    try {
      context.emit({type: 'stopping'})
      for (const runtime of apps.all) runtime.opening.announceEnd()
    } finally {
      // the phase is set: only this ends the apps. While `start` is still opening parts, it ends them itself
      if (isWired) void this.#finish()
    }
  }

  /** Stops the run without a grace period. */
  stopNow(): void {
    this.stop()
    this.#lifetime.stopNow()
    for (const runtime of this.#parts.apps.all) runtime.stopNow()
  }

  /** Opens everything that apps need. False if a stop was requested in the meantime: then no app may start. */
  async #wire(folder: string, pipes: ReturnType<typeof preparePipes>): Promise<boolean> {
    let isWired = false
    try {
      isWired = await this.#stages.start(this.#stagesIn(folder), this.#lifetime.stopRequested)
      return isWired
    } finally {
      if (!isWired) for (const each of await pipes) closePipes(each)
    }
  }

  /** The stages of a run in start order; they are stopped in reverse. */
  #stagesIn(folder: string): readonly Stage[] {
    const parts = this.#parts
    const {plan, run} = parts.context
    let claims: Claims = {sidecars: [], manager: undefined}
    return [
      // first, so that it closes last; the registration below opens it when everything else is ready
      {name: 'socket', stop: async () => parts.withdraw()},
      {name: 'API', stop: async () => parts.api.close()},
      {name: 'memory', stop: async () => parts.memory.close()},
      {name: 'other runs', stop: () => parts.peerRuns.close()},
      {name: 'resources', stop: async () => parts.resources.close()},
      {name: 'components', stop: async () => parts.components.close()},
      {name: 'work', stop: async () => parts.work.close()},
      {name: 'actors', stop: async () => parts.actors.close()},
      {name: 'what a killed run has left', start: async () => sweepFormer(parts.context, this.#lifetime.stopRequested)},
      // before all other ports, which must not take their numbers
      {
        name: 'published ports',
        start: async () => parts.published.claim(plan.apps),
        stop: async cut => parts.published.close(cut)
      },
      {name: 'ports', start: async () => void (claims = await claimAll(plan)), stop: () => releaseAll(claims)},
      // after the ports, so that it cannot take their numbers
      {name: 'names', start: async () => parts.names.open(folder), stop: async cut => parts.names.close(cut)},
      // after the ports, so that it cannot take their numbers; closes after all apps have sent their last spans
      {name: 'spans', start: async () => parts.spans.open(plan), stop: async cut => parts.spans.close(cut)},
      // before the sidecars, so that its connections close after log followers have received the end of their log
      {name: 'manager port', stop: async cut => parts.services.close(cut)},
      {
        name: 'sidecars',
        start: async () => parts.apps.openAll(claims.sidecars),
        stop: async cut => {
          await parts.apps.opened()
          await parts.appCloser.closeAll(parts.apps.all, cut)
        }
      },
      {name: 'services', start: () => parts.services.open(claims.manager)},
      {name: 'published calls', start: () => parts.published.serve(), stop: () => parts.names.show.leave()},
      {name: 'faults', start: async () => addPlanned(parts.api.faults, plan)},
      {name: 'registration', start: async () => parts.register(folder)},
      {
        name: 'watchdog',
        start: () => parts.watchdog.start(homeOf(folder, run)),
        stop: async () => {
          await parts.watchdog.removeNetworks()
          await parts.watchdog.dismiss()
        }
      },
      {name: 'components of apps', start: async () => parts.openComponents()},
      {name: 'apps', stop: async () => this.#endApps()},
      // first of all, while its apps still answer
      {name: 'calls to the main copy', stop: async () => parts.names.show.end()},
      {name: 'entrance', stop: async () => parts.names.handOver()},
      {name: 'numbers of copies', stop: async () => parts.published.handOver()}
    ]
  }

  /** Prints reports after the start lines. */
  #report(): void {
    const {services, resources, context} = this.#parts
    const {reporter, excepted, hints} = context
    services.announce()
    resources.report()
    for (const id of excepted ?? []) reporter.warn('app-excepted', exceptedText(id))
    reporter.release(hints)
  }

  /** Begins the work that no app waits for. */
  #beginBackground(): void {
    const {appRuntimes, apps, changes, context, memory, resources, work} = this.#parts
    const {plan, env, reporter} = context
    warnDuplicateRun({plan, env, reporter}, this.#parts.name)
    memory.begin()
    // loads code to ask other runs, which fails while no descriptor is free
    if (plan.file !== '') void appRuntimes.removeOldLogs(apps.all.map(({logs}) => logs)).catch(() => undefined)
    void inBackground(reporter, 'cannot clean up after killed runs', sweep(env, reporter))
    void inBackground(reporter, 'cannot resume workflows', work.begin())
    void inBackground(reporter, 'cannot watch files', changes.begin())
    void inBackground(reporter, 'cannot watch resources', resources.follow())
  }

  /** Stops all stages and resolves `ended`. */
  async #finish(): Promise<void> {
    this.#finishing ??= this.#takeDown()
    await this.#finishing
  }

  async #takeDown(): Promise<void> {
    const lifetime = this.#lifetime
    const {apps, changes, context} = this.#parts
    lifetime.phase = 'stopping'
    changes.end()
    context.reporter.release()
    try {
      const ms = longestGraceMs(apps.all.map(({plan}) => plan))
      await withDeadline({ms, over: lifetime.now}, async cut => this.#stages.stop(cut))
      lifetime.phase = 'ended'
      this.#end.resolve(!lifetime.isForced && (lifetime.stopRequested.aborted || apps.areAllWell))
    } catch (error) {
      this.#end.reject(error)
    }
  }

  /** Stops the apps, with their sidecars open. */
  async #endApps(): Promise<void> {
    const {actors, apps, context, watchdog} = this.#parts
    await endApps(
      apps.all,
      {...context, spared: watchdog.spared},
      async runtime => actors.end(runtime, this.#lifetime.now),
      async () => this.#parts.endDaprds()
    )
  }
}
