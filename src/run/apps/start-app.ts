import type {RunContext} from '../run-context.ts'
import type {HandedOver, StartResult} from '../../control/run-control.ts'
import type {Launch} from '../../model/api.generated.ts'
import {wholeMessageOf, UserError} from '../../model/errors.ts'
import {exitOf, succeeded} from '../../model/app-state.ts'
import type {AppPlan, Dependency} from '../../model/plan.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {commandPorts} from '../../supervisor/command.ts'
import {hasReached} from '../../supervisor/order/progress.ts'
import type {StartOrder} from '../../supervisor/order/start-order.ts'
import {whyNotSpawned} from '../../supervisor/messages/why-not-running.ts'
import {planKey} from '../edits/plan-facts.ts'
import type {Changes} from '../edits/changes.ts'
import type {Apps} from './apps.ts'
import type {Starter} from '../../supervisor/owner/next-step.ts'

export interface AppStarterOptions extends Pick<RunContext, 'lifetime'> {
  readonly apps: Apps
  readonly starts: StartOrder
  readonly changes: Changes
  /** Opens failed parts of apps again. Resolves with the reason why the apps cannot start; '' = they can. */
  readonly faultNow: (runtimes: readonly AppRuntime[]) => Promise<string>
  /** The version that answers for an id. */
  readonly main: (id: string) => AppRuntime | undefined
}

/** Starts and restarts single apps during a run, their dependencies first. Other apps are not affected. */
export class AppStarter {
  readonly #options: AppStarterOptions

  constructor(options: AppStarterOptions) {
    this.#options = options
  }

  /**
   * Starts an app, and settles when its process runs, after its dependencies, which may take any time. Takes an app back from a debugger.
   * Undefined for an unknown app.
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
      for (const plan of leftOut) await this.#bringIn(plan, 'none')
      const brought = new Set(leftOut.map(planKey)) // one of these may have done its work already
      for (const runtime of apps.named(id))
        if (runtime.isDebugged || !brought.has(planKey(runtime.plan))) await this.#bringUp(runtime)
      const why = await this.#whyNoneBegun(apps.named(id))
      await apps.settled()
      if (why !== '') return failed(why)
      return apps.named(id).length === 0 ? failed(GONE) : {outcome: 'started', why: ''}
    } catch (error) {
      return failed(wholeMessageOf(error))
    }
  }

  /**
   * Restarts an app, or starts one that was stopped or has exited. Resolves with '' when new processes run, else with the reason;
   * undefined for an app that has left.
   */
  async restart(id: string): Promise<string | undefined> {
    const {apps, changes, lifetime, faultNow} = this.#options
    const meant = apps.named(id)
    const start = async (): Promise<string | undefined> => (await this.start(id))?.why
    if (meant.length > 0 && meant.every(({plan}) => plan.command.length === 0))
      return 'it has no command, only a sidecar'
    if (meant.every(each => this.#isDown(each)) || meant.some(({isExcepted}) => isExcepted)) return start()
    if (lifetime.isOver) return 'the run is stopping'
    const fault = await faultNow(meant)
    if (fault !== '') return fault
    const left = meant.filter(({isStopped}) => !isStopped)
    if (meant.some(({isDebugged}) => isDebugged))
      return `it is being debugged; to run it here again: pillion start ${id}`
    // without an obstacle it is about to start: an edit replaces its process
    if (meant.some(({app, obstacle}) => app.state.phase === 'idle' && obstacle !== ''))
      return `"${id}" is not started yet: it waits for its dependencies`
    const owners = left.map(each => changes.ownerOf(each))
    for (const owner of owners) owner.want('user')
    const failures = await Promise.all(owners.map(async owner => owner.follow()))
    await apps.settled()
    const failure = failures.find(each => each !== '')
    if (failure !== undefined) return failure
    return meant.some(each => each.leaves || !left.includes(each)) ? start() : this.#whyNoneBegun(left)
  }

  /**
   * Stops an app's process, so that the user can start it in a debugger. Its sidecar stays open, or is opened again. Settles after the
   * exit. Undefined for an unknown app.
   */
  async debug(id: string): Promise<HandedOver | undefined> {
    return this.#debug(id).catch((error: unknown) => refused(wholeMessageOf(error)))
  }

  async #debug(id: string): Promise<HandedOver | undefined> {
    const {apps, main, lifetime, faultNow} = this.#options
    await apps.settled()
    const meant = (): AppRuntime | undefined => main(id) ?? apps.named(id)[0]
    const before = meant()
    const [leftOut] = apps.leftOut(id)
    const plan = before?.plan ?? leftOut
    if (plan === undefined) return undefined
    if (lifetime.isOver) return refused('the run is stopping')
    const fault = before === undefined ? '' : await faultNow([before])
    if (fault !== '') return refused(fault)
    const more = before === undefined ? '' : `. To print its environment: pillion env ${id}`
    if (plan.command.length === 0) return refused(`it has no command: start it yourself${more}`)
    if (before === undefined) await this.#bringIn(plan, 'debugs')
    const runtime = before ?? meant()
    if (runtime === undefined) return refused(lifetime.isOver ? 'the run is stopping' : GONE)
    const {isStopped, isDebugged, isExcepted} = runtime
    const wasDebugged = before !== undefined && !isStopped && isDebugged && !isExcepted
    runtime.person = 'debugs'
    if (isExcepted) runtime.changeHands()
    await this.#follow(runtime)
    if (isStopped && runtime.isDebugged && runtime.fault !== '') {
      runtime.person = 'none' // it can be handed over once that is corrected
      runtime.changeHands()
      return {why: runtime.fault, wasDebugged}
    }
    await apps.settled()
    return runtime.leaves ? refused(GONE) : {why: '', wasDebugged}
  }

  /** Asks for a process of an app, after its dependencies. */
  async #bringUp(runtime: AppRuntime): Promise<void> {
    runtime.person = 'none'
    if (!runtime.isDebugged && (!this.#isDown(runtime) || runtime.sleep.isWaking)) return
    if (runtime.request === 'no') runtime.request = 'later'
    await this.#bringNeeded(runtime.wanted) // by the plan of the latest edit, with which it starts
    if (runtime.request === 'later') runtime.request = 'now'
    await this.#follow(runtime)
  }

  /** Lets the owner of an app take its steps. Throws a UserError if the app cannot be opened. */
  async #follow(runtime: AppRuntime): Promise<void> {
    const release = this.#options.apps.hold()
    const why = await this.#options.changes.ownerOf(runtime).follow().finally(release)
    if (why !== '') throw new UserError(why)
  }

  /** Opens an app of an inactive profile, and starts it after its dependencies. */
  async #bringIn(plan: AppPlan, person?: Starter): Promise<void> {
    const {apps, starts} = this.#options
    await this.#bringNeeded(plan)
    const runtime = await apps.bringIn(plan, person)
    if (runtime !== undefined) await starts.late(runtime)
  }

  /** Starts the dependencies of an app that are not running. */
  async #bringNeeded({dependsOn}: AppPlan): Promise<void> {
    const {apps, changes, faultNow} = this.#options
    if (dependsOn.some(({id}) => apps.lost.includes(id))) await changes.applyAgain()
    for (const dependency of dependsOn) {
      for (const plan of apps.leftOut(dependency.id)) await this.#bringIn(plan)
      for (const needed of apps.named(dependency.id))
        if (this.#isLacking(needed, dependency)) {
          // reasons against its start are reported at the start
          await faultNow([needed])
          await this.#bringUp(needed)
        }
    }
  }

  /** Whether the app does not run, and will not restart by itself. */
  #isDown({isStopped, app}: AppRuntime): boolean {
    return isStopped || ['exited', 'backoff', 'asleep'].includes(app.state.phase)
  }

  /** Whether a dependency must be started, unless it has exited successfully. */
  #isLacking(needed: AppRuntime, dependency: Dependency): boolean {
    if (needed.isStopped) return true
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
      if (runtime.isBetweenOpenings && !runtime.leaves) return
      const fault = isWaking ? '' : whyNotSpawned(state) // a waking app still has the state of its previous process
      // without a pid it could not be spawned: its next state follows
      const isUnknown = state.phase === 'starting' && state.pid === undefined && runtime.plan.command.length > 0
      if (runtime.leaves) resolve('')
      else if (runtime.isGivenUp) resolve(runtime.obstacle)
      else if (runtime.isStopped) resolve('it was stopped meanwhile')
      else if (runtime.isDebugged) resolve('it went to a debugger meanwhile')
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
