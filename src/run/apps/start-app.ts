import type {RunContext} from '../run-context.ts'
import type {HandedOver, StartResult} from '../../control/run-control.ts'
import type {Launch} from '../../model/api.generated.ts'
import {wholeMessageOf, UserError} from '../../model/errors.ts'
import {exitOf, succeeded} from '../../model/app-state.ts'
import type {AppPlan, Dependency} from '../../model/plan.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {commandPorts} from '../../supervisor/command.ts'
import {hasReached} from '../../supervisor/order/progress.ts'
import {whyNotSpawned} from '../../supervisor/messages/why-not-running.ts'
import {planKey} from '../edits/plan-facts.ts'
import type {Changes} from '../edits/changes.ts'
import type {Apps} from './apps.ts'
import type {Starter} from '../../supervisor/owner/next-step.ts'

export interface AppStarterOptions extends Pick<RunContext, 'lifetime'> {
  readonly apps: Apps
  readonly changes: Changes
  /** Opens failed parts of apps again. Resolves with the reason why the apps cannot start; '': they can. */
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
    if (leftOut.length === 0 && meant.every(isUp)) return {outcome: 'runs already', why: ''}
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
    if (meant.every(isDown) || meant.some(({isExcepted}) => isExcepted)) return start()
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
    if (isExcepted) runtime.applyStarter()
    await this.#follow(runtime)
    if (isStopped && runtime.isDebugged && runtime.fault !== '') {
      runtime.person = 'none' // it can be handed over once that is corrected
      runtime.applyStarter()
      return {why: runtime.fault, wasDebugged}
    }
    await apps.settled()
    return runtime.leaves ? refused(GONE) : {why: '', wasDebugged}
  }

  /** Asks for a process of an app, after its dependencies. */
  async #bringUp(runtime: AppRuntime): Promise<void> {
    runtime.person = 'none'
    if (!runtime.isDebugged && (!isDown(runtime) || runtime.sleep.isWaking)) return
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
    await this.#bringNeeded(plan)
    await this.#options.apps.bringIn(plan, person)
  }

  /** Starts the dependencies of an app that are not running. */
  async #bringNeeded({dependsOn}: AppPlan): Promise<void> {
    const {apps, changes, faultNow} = this.#options
    if (dependsOn.some(({id}) => apps.failedIds.includes(id))) await changes.applyAgain()
    for (const dependency of dependsOn) {
      for (const plan of apps.leftOut(dependency.id)) await this.#bringIn(plan)
      for (const needed of apps.named(dependency.id))
        if (isLacking(needed, dependency)) {
          // reasons against its start are reported at the start
          await faultNow([needed])
          await this.#bringUp(needed)
        }
    }
  }

  /** Waits for the first processes of apps; returns '' when they were spawned, else the reason. */
  async #whyNoneBegun(runtimes: readonly AppRuntime[]): Promise<string> {
    const whys = await Promise.all(runtimes.map(whyNotBegun))
    return whys.find(why => why !== '') ?? ''
  }
}

/** Whether the app does not run, and will not restart by itself. */
const isDown = ({isStopped, app}: AppRuntime): boolean =>
  isStopped || ['exited', 'backoff', 'asleep'].includes(app.state.phase)

const isUp = (runtime: AppRuntime): boolean =>
  !isDown(runtime) && !runtime.isDebugged && runtime.app.state.phase !== 'idle'

/** Whether a dependency must be started, unless it has exited successfully. */
function isLacking(needed: AppRuntime, dependency: Dependency): boolean {
  const {state} = needed.app
  // the dependencies of a sleeping app may be stopped
  if (needed.isStopped || state.phase === 'asleep') return true
  const waitsForSave = state.phase === 'backoff' && state.until === Infinity
  if (state.phase !== 'exited' && !waitsForSave) return false
  return !hasReached(needed.progress, dependency) || !(dependency.until === 'completed' || succeeded(exitOf(state)))
}

/** Waits for the first process of an app; '' when it was spawned, or the app has left the run, else the reason. */
async function whyNotBegun(runtime: AppRuntime): Promise<string> {
  const {promise, resolve} = Promise.withResolvers<string>()
  const look = (): void => {
    const begin = beginOf(runtime)
    if (begin !== 'open') resolve(begin === 'begun' ? '' : begin.why)
  }
  const off = runtime.onMove(look)
  try {
    look()
    return await promise
  } finally {
    off()
  }
}

/** The begin of an app that a command has started. `open`: its process is neither spawned nor given up. An app that leaves begins nothing more. */
function beginOf(runtime: AppRuntime): 'open' | 'begun' | {readonly why: string} {
  const {app, plan, leaves, isBetweenOpenings, isGivenUp, isStopped, isDebugged, obstacle, queue, sleep} = runtime
  const {state} = app
  if (leaves) return 'begun'
  if (isBetweenOpenings) return 'open'
  if (isGivenUp) return {why: obstacle}
  if (isStopped) return {why: 'it was stopped meanwhile'}
  if (isDebugged) return {why: 'it went to a debugger meanwhile'}
  if (sleep.isWaking) return 'open' // it still has the state of its previous process
  const fault = whyNotSpawned(state)
  if (fault !== '') return {why: fault}
  if (state.phase === 'asleep') return {why: state.last === undefined ? 'what it depends on has failed' : queue.reason}
  if (state.phase === 'exited' && state.exit === undefined) return {why: 'the run is stopping'}
  // without a pid it could not be spawned: its next state follows
  const isSpawned = state.phase !== 'starting' || state.pid !== undefined || plan.command.length === 0
  return state.phase !== 'idle' && isSpawned ? 'begun' : 'open'
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
