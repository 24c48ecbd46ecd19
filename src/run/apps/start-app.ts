import type {RunContext} from '../run-context.ts'
import type {HandedOver, StartResult} from '../../control/run-control.ts'
import type {Launch} from '../../model/api.generated.ts'
import {UserError} from '../../model/errors.ts'
import {exitOf, succeeded} from '../../model/app-state.ts'
import {SingleFlight} from '../../model/single-flight.ts'
import type {AppPlan, Dependency} from '../../model/plan.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {commandPorts} from '../../supervisor/command-ports.ts'
import {hasReached, neverOpened, standingOf} from '../../supervisor/order/progress.ts'
import type {StartOrder} from '../../supervisor/order/start-order.ts'
import {whyNotSpawned} from '../../supervisor/messages/why-not-running.ts'
import {planKey} from '../../supervisor/reload/plan-facts.ts'
import type {Changes} from '../../supervisor/reload/changes.ts'
import type {Apps} from './apps.ts'
import type {OpenMode} from './create-app-runtimes.ts'

export interface AppStarterOptions extends Pick<RunContext, 'lifetime'> {
  readonly apps: Apps
  readonly starts: StartOrder
  readonly changes: Changes
  /** Tries again what could not be opened for apps. Why they cannot be started; '' = they can. */
  readonly faultNow: (runtimes: readonly AppRuntime[]) => Promise<string>
  /** The version that answers for an id. */
  readonly main: (id: string) => AppRuntime | undefined
}

/** Starts single apps during a run, and first their dependencies; restarts them. Other apps stay as they are. */
export class AppStarter {
  readonly #options: AppStarterOptions
  /** Starts in progress: several requests or dependents may need the same app. */
  readonly #bringing = new SingleFlight<AppRuntime | AppPlan, void>()

  constructor(options: AppStarterOptions) {
    this.#options = options
  }

  /**
   * Settles when the app's process runs, after its dependencies, however long these take. An app in a debugger is taken
   * back. Undefined if the run has no such app.
   */
  async start(id: string): Promise<StartResult | undefined> {
    const {apps, lifetime} = this.#options
    await apps.settled()
    const meant = apps.named(id)
    const leftOut = apps.leftOut(id)
    if (meant.length + leftOut.length === 0) return undefined
    if (lifetime.isOver) return failed('the run is stopping')
    const fault = await this.#options.faultNow(meant)
    if (fault !== '') return failed(fault)
    if (
      leftOut.length === 0 &&
      meant.every(runtime => !this.#isDown(runtime) && !runtime.isDebugged && runtime.app.state.phase !== 'idle')
    )
      return {outcome: 'runs already', why: ''}
    try {
      // also an app that `up --except` would leave to the user: it was asked for now
      for (const plan of leftOut) await this.#bringing.do(plan, async () => this.#bringIn(plan, {isDebugged: false}))
      const brought = new Set(leftOut.map(planKey)) // one of these may have done its work already
      for (const runtime of apps.named(id))
        if (runtime.isDebugged || !brought.has(planKey(runtime.plan))) await this.#bringUp(runtime)
      const why = await this.#whyNoneBegun(apps.named(id))
      await apps.settled()
      if (why !== '') return failed(why)
      return apps.named(id).length === 0 ? failed(GONE) : {outcome: 'started', why: ''}
    } catch (error) {
      return failed(userReason(error))
    }
  }

  /**
   * Restarts an app; starts it if it was stopped or has exited. Returns '' when new processes run, else the reason; undefined if the run
   * has no such app any more.
   */
  async restart(id: string): Promise<string | undefined> {
    const {apps, changes, lifetime, faultNow} = this.#options
    const meant = apps.named(id)
    const start = async (): Promise<string | undefined> => (await this.start(id))?.why
    if (meant.length === 0) return start()
    if (lifetime.isOver) return 'the run is stopping'
    const fault = await faultNow(meant)
    if (fault !== '') return fault
    if (meant.every(({plan}) => plan.command.length === 0)) return 'it has no command, only a sidecar'
    const left = meant.filter(each => !apps.isStopped(each))
    const hasEnded = left.every(({app}) => ['exited', 'backoff', 'asleep'].includes(app.state.phase))
    if (hasEnded || meant.some(({isExcepted}) => isExcepted)) return start()
    if (meant.some(({isDebugged}) => isDebugged))
      return `it is being debugged; to run it here again: pillion start ${id}`
    // without an obstacle it is about to start: an edit replaces its process
    if (meant.some(({app, obstacle}) => app.state.phase === 'idle' && obstacle !== ''))
      return `"${id}" is not started yet: it waits for its dependencies`
    const failures = await changes.restart(left)
    await apps.settled()
    if (lifetime.isOver) return 'the run is stopping'
    if (left.some(each => apps.isStopped(each))) return 'it was stopped meanwhile'
    if (left.some(({isDebugged}) => isDebugged)) return 'it went to a debugger meanwhile'
    const why = [...failures, ...left.map(({app}) => whyNotSpawned(app.state))].find(each => each !== '')
    return why ?? (meant.some(each => each.hasLeft || !left.includes(each)) ? start() : this.#whyNoneBegun(left))
  }

  /**
   * Stops an app's process, so that the user can start it in a debugger. Its sidecar stays open, or is opened again.
   * Settles when the process has exited. Undefined if the run has no such app.
   */
  async debug(id: string): Promise<HandedOver | undefined> {
    try {
      return await this.#debug(id)
    } catch (error) {
      return refused(userReason(error))
    }
  }

  async #debug(id: string): Promise<HandedOver | undefined> {
    const {apps, starts, changes, main, lifetime, faultNow} = this.#options
    await apps.settled()
    const runtime = main(id) ?? apps.named(id)[0]
    const [leftOut] = apps.leftOut(id)
    if (runtime === undefined && leftOut === undefined) return undefined
    if (lifetime.isOver) return refused('the run is stopping')
    if (runtime === undefined) return this.#debugLeftOut(leftOut)
    const fault = await faultNow([runtime])
    if (fault !== '') return refused(fault)
    if (runtime.plan.command.length === 0)
      return refused(`it has no command: start it yourself. To print its environment: pillion env ${id}`)
    await apps.settled()
    if (runtime.hasLeft) return refused(GONE)
    const isStopped = apps.isStopped(runtime)
    const wasDebugged = !isStopped && runtime.isDebugged && !runtime.isExcepted
    runtime.wantsDebugger = true
    if (isStopped) {
      if (!(await apps.reopen(runtime))) return refused(GONE)
      if (runtime.isDebugged) {
        await starts.late(runtime)
        if (runtime.fault !== '') runtime.debug(false) // it can be handed over once that is corrected
        return {why: runtime.fault, wasDebugged}
      }
    }
    if (runtime.isExcepted) runtime.debug(true)
    else if (runtime.wantsDebugger && !runtime.isDebugged) await changes.handOver(runtime)
    await apps.settled()
    if (lifetime.isOver) return refused('the run is stopping')
    if (apps.isStopped(runtime)) return refused('it was stopped meanwhile')
    return runtime.hasLeft ? refused(GONE) : {why: '', wasDebugged}
  }

  /** Prepares a stopped or exited app, so that it starts as soon as its dependencies are met; settles when it is prepared. */
  async #bringUp(runtime: AppRuntime): Promise<void> {
    runtime.wantsDebugger = false
    await this.#bringing.do(runtime, async () => this.#bring(runtime))
  }

  /** Starts an app of an inactive profile, after its dependencies. */
  async #bringIn(plan: AppPlan, mode?: OpenMode): Promise<void> {
    const {apps, starts} = this.#options
    await this.#bringNeeded(plan)
    const runtime = await apps.bringIn(plan, mode)
    if (runtime !== undefined) await starts.late(runtime)
  }

  async #debugLeftOut(plan: AppPlan | undefined): Promise<HandedOver | undefined> {
    if (plan === undefined) return refused('the run is stopping')
    if (plan.command.length === 0) return refused('it has no command: start it yourself')
    await this.#bringing.do(plan, async () => this.#bringIn(plan, {isDebugged: true}))
    const isStarted = this.#options.apps.named(plan.id).some(({isDebugged}) => !isDebugged)
    return isStarted ? this.#debug(plan.id) : {why: '', wasDebugged: false}
  }

  /** Starts the dependencies of an app that are not running. */
  async #bringNeeded({dependsOn}: AppPlan): Promise<void> {
    const {apps, changes, faultNow} = this.#options
    if (dependsOn.some(({id}) => apps.lost.includes(id))) await changes.applyAgain()
    for (const dependency of dependsOn) {
      for (const plan of apps.leftOut(dependency.id)) await this.#bringing.do(plan, async () => this.#bringIn(plan))
      for (const needed of apps.named(dependency.id))
        if (this.#isLacking(needed, dependency)) {
          // why it cannot be started, if so, is said when it is
          await faultNow([needed])
          await this.#bringUp(needed)
        }
    }
  }

  async #bring(runtime: AppRuntime): Promise<void> {
    const {apps, starts, changes} = this.#options
    const isTakenBack = runtime.isDebugged && !apps.isStopped(runtime)
    if (!isTakenBack && !this.#isDown(runtime)) return
    const {state} = runtime.app
    await this.#bringNeeded(runtime.wanted) // of the latest edit, by which it starts
    // it has waited for these, and was started with them; it may have done its work already
    if (!isTakenBack && !apps.isStopped(runtime) && runtime.app.state !== state) return
    if (isTakenBack) return changes.takeBack(runtime)
    if (apps.isStopped(runtime)) {
      if (!(await apps.reopen(runtime))) return
      if (runtime.isDebugged) await changes.takeBack(runtime) // a debugger has asked for it before
      else await starts.late(runtime)
    } else if (runtime.sleep.isAsleep) runtime.sleep.wake('start')
    else if (!runtime.isGivenUp && this.#isFree(runtime)) await changes.restart([runtime])
    else {
      runtime.reset()
      await starts.late(runtime)
    }
  }

  /** Whether the app does not run, and will not restart by itself. */
  #isDown(runtime: AppRuntime): boolean {
    const {phase} = runtime.app.state
    return this.#options.apps.isStopped(runtime) || ['exited', 'backoff', 'asleep'].includes(phase)
  }

  #isFree(runtime: AppRuntime): boolean {
    const {all, lost} = this.#options.apps
    const known = [...all.map(({progress}) => progress), ...lost.map(neverOpened)]
    return standingOf(runtime.plan.dependsOn, known).kind === 'free'
  }

  /** Whether a dependency must be started, unless it has exited successfully. */
  #isLacking(needed: AppRuntime, dependency: Dependency): boolean {
    if (this.#options.apps.isStopped(needed)) return true
    const {state} = needed.app
    // its own dependencies may be stopped
    if (state.phase === 'asleep') return true
    const waitsForSave = state.phase === 'backoff' && state.until === Infinity
    if (state.phase !== 'exited' && !waitsForSave) return false
    return !hasReached(needed.progress, dependency) || !(dependency.until === 'completed' || succeeded(exitOf(state)))
  }

  /** Waits for the first processes of apps; returns '' when they were spawned, else the reason. */
  async #whyNoneBegun(runtimes: readonly AppRuntime[]): Promise<string> {
    const whys = await Promise.all(runtimes.map(async runtime => this.#whyNotBegun(runtime)))
    return whys.find(why => why !== '') ?? ''
  }

  /** Waits for the first process of an app; '' when it was spawned, or the app has left the run, else the reason. */
  async #whyNotBegun(runtime: AppRuntime): Promise<string> {
    const {promise, resolve} = Promise.withResolvers<string>()
    const look = (): void => {
      const {state} = runtime.app
      const {isWaking} = runtime.sleep
      if (runtime.isBetweenOpenings && !runtime.hasLeft) return
      const fault = isWaking ? '' : whyNotSpawned(state) // that of the process before
      // without a pid it could not be spawned: what becomes of it follows
      const isOurs = runtime.plan.command.length > 0 && !runtime.isDebugged
      const isUnknown = state.phase === 'starting' && state.pid === undefined && isOurs
      if (runtime.hasLeft) resolve('')
      else if (runtime.isGivenUp) resolve(runtime.obstacle)
      else if (this.#options.apps.isStopped(runtime)) resolve('it was stopped meanwhile')
      else if (fault !== '') resolve(fault)
      else if (state.phase === 'exited' && state.exit === undefined) resolve('the run is stopping')
      else if (state.phase === 'asleep' && !isWaking)
        resolve(state.last === undefined ? 'what it depends on has failed' : runtime.queue.reason)
      else if (state.phase !== 'idle' && state.phase !== 'asleep' && !isUnknown) resolve('')
    }
    const off = runtime.onMove(look)
    try {
      look()
      return await promise
    } finally {
      off()
    }
  }
}

/** How an app is started; `added`: the names of its variables that `env` has not, or has otherwise. */
export async function ownLaunch(runtime: AppRuntime, env: RunContext['env']): Promise<Launch> {
  const {environment: whole, ...rest} = await runtime.opening.launch()
  const {FORCE_COLOR: _colour, ...plain} = whole // set for our terminal, unless the template sets it
  const given = (runtime.plan.env['FORCE_COLOR'] ?? env['FORCE_COLOR']) === undefined ? plain : whole
  const environment = {...given, ...commandPorts(rest.command, rest.appPort)}
  const added = Object.keys(environment).filter(name => environment[name] !== env[name])
  return {...rest, environment, added}
}

const GONE = 'it has left the template meanwhile'

const refused = (why: string): HandedOver => ({why, wasDebugged: false})

const failed = (why: string): StartResult => ({outcome: 'failed', why})

/** The text of an error for the user; throws all others. */
function userReason(error: unknown): string {
  if (!(error instanceof UserError)) throw error
  return [error.message, error.explanation.trimEnd()].filter(text => text !== '').join('\n')
}
