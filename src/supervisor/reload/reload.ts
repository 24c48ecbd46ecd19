import type {Reloaded} from '../../model/events.ts'
import type {Why} from '../../model/app-state.ts'
import {systemClock, type Clock} from '../../platform/clock.ts'
import {withDeadline} from './deadline.ts'
import type {FinishWork} from './overlap.ts'
import type {QueueStats, PendingCall} from '../../proxy/gateway/admission-queue.ts'
import type {AppRuntime} from '../app-runtime.ts'
import type {Overlapping} from './overlap.ts'
import {cutText, inSeconds} from '../messages/cut.ts'
import type {Reporter} from '../../model/reporter.ts'

/** The part of an app that a reload needs. */
export type Reloadable = Overlapping &
  Pick<
    AppRuntime,
    | 'id'
    | 'plan'
    | 'wanted'
    | 'onMove'
    | 'renewPool'
    | 'cutCalls'
    | 'hasStarted'
    | 'replace'
    | 'isDebugged'
    | 'changesHands'
    | 'changeHands'
  >

export interface ReloadsOptions {
  readonly runtime: Reloadable
  readonly reloaded: (what: Reloaded) => void
  /** Called when a process is about to be replaced. */
  readonly replacing?: () => unknown
  readonly reporter: Reporter
  /** Whether a call of the app's process waits in the queue of another app, which does not wait for this one in turn. */
  readonly waitsForOthers?: () => boolean
  /** Describes a cycle of calls that wait for each other; ends an error text, or is ''. */
  readonly callCycle: (pendingCall: PendingCall) => string
  /** Deactivates the actors of the process, which only one process may host. */
  readonly letGo: () => FinishWork
  /** How long that may take, in ms, where it is longer than the app's grace period. */
  readonly letGoMs: () => number
  /** The process goes on with its actors. */
  readonly keepHosted: () => void
  /** Waits for the tasks of its current workers. */
  readonly finishWork: () => FinishWork
  /** Gives work to the remaining workers (a debugger's) again, whether or not the process was exchanged. */
  readonly resumeWork: () => void
  readonly clock?: Clock
}

type Outcome = 'up' | 'down' | 'asked again' | 'over'

/**
 * Replaces the process of one app without losing a call: new calls are queued, calls in flight finish, the process is
 * stopped, the new one starts and becomes ready, and the queued calls are delivered. Requests that come close together
 * count as one. No call is ever sent twice.
 */
export class Reloads {
  readonly #options: ReloadsOptions & {readonly clock: Clock}
  readonly #over = new AbortController()
  #asked: Why | undefined
  /** The files of all requests since the last reload was reported. */
  #files: readonly string[] = []
  /** The number of reloads of the app. */
  #count = 0
  /** Why the latest reload has left the old process in place; '' = it has not. */
  failure = ''
  #running: Promise<void> | undefined
  /** Number of processes that finish their work: with overlap a reload may come while the last one still drains. */
  #finishing = 0
  #interrupt = (): void => undefined

  constructor(options: ReloadsOptions) {
    this.#options = {clock: systemClock, ...options}
  }

  /**
   * Settles when the app is ready again, or has failed, or is handed over to a debugger. An app that has not been started
   * yet only gets the plan that is wanted. `files`: the saved files, relative to the folder of the app.
   */
  async ask(why: Why, files: readonly string[] = []): Promise<void> {
    if (this.#over.signal.aborted) return
    this.#files = [...new Set([...this.#files, ...files])]
    this.#asked = why
    this.failure = ''
    this.#interrupt()
    this.#running ??= this.#run()
    await this.#running
  }

  /** The process is being replaced. */
  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** No further reload is started. */
  end(): void {
    this.#over.abort()
    this.#interrupt()
  }

  async #run(): Promise<void> {
    try {
      while (this.#asked !== undefined && !this.#over.signal.aborted)
        await (this.#canOverlap ? this.#overlap() : this.#replace())
    } finally {
      this.#running = undefined
    }
  }

  async #replace(): Promise<void> {
    const {runtime, reloaded, clock} = this.#options
    const from = clock.now()
    const files = this.#files.length === 0 ? '' : `: ${namesOf(this.#files)}`
    const number = ++this.#count
    const words = `"${runtime.name}" is being reloaded (reload ${number}${files})`
    const stats = runtime.queue.startStats()
    let cut = 0
    let outcome: Outcome = 'over'
    runtime.queue.pause(words)
    this.#finishing++
    try {
      void this.#options.replacing?.()
      while (this.#asked !== undefined && !this.#over.signal.aborted) {
        cut += await this.#drain(this.#graceMs)
        if (this.#over.signal.aborted) return
        outcome = await this.#exchange()
      }
    } finally {
      runtime.queue.unpause(words)
      this.#finished()
    }
    const {held, longestMs, lost} = stats
    const tookMs = clock.now() - from
    if (outcome === 'up')
      reloaded({id: runtime.name, number, files: this.#takeFiles(), tookMs, held, longestMs, lost: lost + cut})
    else if (outcome === 'down') this.#reportDown(stats)
  }

  /** Stops the old process and starts the new one; waits until it is ready, has exited, or the next request. */
  async #exchange(): Promise<Outcome> {
    const {runtime} = this.#options
    const why = this.#asked ?? 'user'
    this.#asked = undefined
    const {phase} = runtime.app.state
    const {changesHands} = runtime
    if (changesHands) runtime.changeHands()
    const isOther = this.#isReplanned || changesHands
    if (!runtime.hasStarted || runtime.isDebugged || runtime.wanted.command.length === 0) {
      if (isOther) runtime.renewPool()
      if (isOther) await runtime.replace(why)
      return 'over'
    }
    const {promise, resolve} = Promise.withResolvers<Outcome>()
    let hasBegun = false
    const off = runtime.onMove(() => {
      hasBegun ||= runtime.app.state.phase === 'starting'
      if (hasBegun && runtime.queue.state === 'open') resolve('up')
      if (hasBegun && (runtime.queue.state === 'shut' || runtime.app.state.phase === 'asleep')) resolve('down')
    })
    this.#interrupt = () => resolve(this.#over.signal.aborted ? 'over' : 'asked again')
    try {
      runtime.renewPool()
      if (phase !== 'exited' && !isOther) runtime.app.restart(why)
      else await runtime.replace(why)
      return await promise
    } finally {
      off()
      this.#interrupt = () => undefined
    }
  }

  /** Lets the calls in flight finish; cancels and names those that exceed the app's grace period. Returns their number. */
  async #drain(timeoutMs: number): Promise<number> {
    const {runtime, clock, finishWork, letGo, waitsForOthers} = this.#options
    const from = clock.now()
    const pendingCalls = [...runtime.queue.inFlight.keys()]
    const deadline = {ms: timeoutMs, over: this.#over.signal, isPaused: waitsForOthers, clock}
    const steps = [letGo(), finishWork()]
    const isDone = async (signal: AbortSignal): Promise<boolean> =>
      (await Promise.all([runtime.queue.drained(signal), ...steps.map(async step => step(signal))])).every(Boolean)
    if (await withDeadline(deadline, isDone)) return 0
    const {inFlight} = runtime.queue // a copy
    const left = pendingCalls.filter(each => inFlight.has(each))
    if (this.#over.signal.aborted || left.length === 0) return 0
    const tookMs = Math.max(timeoutMs, clock.now() - from)
    this.#reportCut(left, tookMs)
    runtime.cutCalls(this.#cutReason(tookMs))
    return left.length
  }

  /** How long calls under way may take to finish. */
  get #graceMs(): number {
    return Math.max(this.#options.runtime.plan.stop.timeoutMs, this.#options.letGoMs())
  }

  get #isReplanned(): boolean {
    const {plan, wanted} = this.#options.runtime
    return wanted !== plan
  }

  get #canOverlap(): boolean {
    const {runtime} = this.#options
    const {state} = runtime.app
    const isUp = state.phase === 'running' && state.ready
    const isPlain = !this.#isReplanned && !runtime.changesHands && !runtime.isDebugged
    return runtime.plan.reload === 'overlap' && runtime.plan.channel.autoPort && isUp && isPlain
  }

  async #overlap(): Promise<void> {
    const {runtime, reloaded, reporter, clock, letGo, keepHosted} = this.#options
    const finishWork = this.#options.finishWork()
    const from = clock.now()
    const timeoutMs = this.#graceMs
    const stop = new AbortController()
    this.#asked = undefined
    this.#interrupt = () => stop.abort()
    const {overlap} = await import('./overlap.ts')
    this.failure = await overlap(runtime, {
      signal: stop.signal,
      clock,
      healthyMs: runtime.plan.ready.timeoutMs,
      timeoutMs,
      isPaused: this.#options.waitsForOthers,
      letGo: letGo(),
      keepHosted,
      finishWork: async signal => {
        this.#finishing++
        return finishWork(signal)
      },
      resumeWork: () => this.#finished(),
      switched: () => {
        const of = {id: runtime.name, number: ++this.#count, files: this.#takeFiles(), tookMs: clock.now() - from}
        reloaded({...of, held: 0, longestMs: 0, lost: 0})
      },
      cut: (left, tookMs) => {
        this.#reportCut(left, tookMs)
        return this.#cutReason(tookMs)
      }
    })
    if (this.failure !== '') reporter.warn('reload-failed', this.failure)
  }

  /** Resumes work when no process finishes any more: all workers get the message. */
  #finished(): void {
    if (--this.#finishing === 0) this.#options.resumeWork()
  }

  #takeFiles(): readonly string[] {
    const files = this.#files
    this.#files = []
    return files
  }

  #reportCut(left: readonly PendingCall[], timeoutMs: number): void {
    const {runtime, reporter, callCycle} = this.#options
    const callers = new Map(left.map(pendingCall => [pendingCall.caller, pendingCall]))
    const why = [...callers.values()].map(callCycle).find(words => words !== '') ?? ''
    reporter.warn('calls-cut', cutText({id: runtime.name, left, ms: timeoutMs, after: 'the change'}) + why)
  }

  /** Returns the reason why a call was cut. */
  #cutReason(tookMs: number): string {
    return `reload ${this.#count} of "${this.#options.runtime.name}" cut this call after ${inSeconds(tookMs)} s`
  }

  #reportDown({held, lost}: Readonly<QueueStats>): void {
    const {runtime, reporter} = this.#options
    if (held === 0) return // the crash has been reported
    const calls = `${lost} of ${held} queued calls were rejected`
    reporter.warn('reload-failed', `"${runtime.name}" did not become ready after the reload; ${calls}`)
  }
}

const MAX_NAMES = 3

const namesOf = (files: readonly string[]): string =>
  files.length > MAX_NAMES
    ? `${files.slice(0, MAX_NAMES).join(', ')} and ${files.length - MAX_NAMES} more`
    : files.join(', ')
