import type {Reloaded} from '../../model/events.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {Why} from '../../model/app-state.ts'
import {systemClock, type Clock} from '../../platform/clock.ts'
import {withDeadline} from './deadline.ts'
import type {AdmissionQueue, QueueStats, PendingCall} from '../../gateway/admission-queue.ts'
import {overlap, type Overlapping} from './overlap.ts'
import {cutText} from '../messages/cut.ts'
import type {Reporter} from '../../model/reporter.ts'

/** An app as its reloads see it. */
export interface Reloadable extends Overlapping {
  readonly id: string
  /** What people call it. */
  readonly name: string
  readonly plan: AppPlan
  readonly queue: AdmissionQueue
  /** Told after each move of the app and each verdict on its health; what it returns ends that. */
  onMove(listener: () => void): () => void
  /** Connections to the old process are let go of, those that carry a call when it is over; new calls get new ones. */
  renewPool(): void
  /** Ends every connection to the process that runs now, and the calls on it. */
  cutCalls(): void
  /** A new supervised app in place of the old one, whose end is waited for; it runs by a new plan where there is one. */
  replace(why: Why, plan?: AppPlan): Promise<void>
  /** Its process is somebody else's, in a debugger. */
  readonly isDebugged: boolean
  /** Says whose its next process is. */
  debug(isDebugged: boolean): void
}

export interface ReloadsOptions {
  readonly runtime: Reloadable
  readonly reloaded: (what: Reloaded) => void
  readonly reporter: Reporter
  /** Who waits for whom in a circle, as the end of a sentence; '' where nobody does. */
  readonly callCycle: (pendingCall: PendingCall) => string
  readonly clock?: Clock
}

/** What another process is asked for. */
export interface ReloadCause {
  /** It runs by this plan from now on. */
  readonly plan?: AppPlan | undefined
  /** The next process is somebody else's, in a debugger, or ours again. */
  readonly isDebugged?: boolean | undefined
  /** The files that were saved, relative to the folder of the app. */
  readonly files?: readonly string[]
}

interface Asking {
  readonly why: Why
  readonly plan: AppPlan | undefined
  readonly isDebugged: boolean | undefined
}

type Outcome = 'up' | 'down' | 'asked again' | 'over'

/**
 * Exchanges the process of one app for a new one, and loses no call: nobody is let in, those inside end, then the process
 * ends, the new one starts and is ready, and who waited is let in. Askings that come close together are one. No call is
 * ever sent twice.
 */
export class Reloads {
  readonly #options: Required<ReloadsOptions>
  readonly #over = new AbortController()
  #asked: Asking | undefined
  /** Of all that is asked for since the last exchange was told. */
  #files: readonly string[] = []
  #running: Promise<void> | undefined
  #interrupt = (): void => undefined

  constructor(options: ReloadsOptions) {
    this.#options = {clock: systemClock, ...options}
  }

  /**
   * Settles when the app takes calls again, or will not, or is handed over to a debugger. An app that has not been started
   * yet is left alone.
   */
  async ask(why: Why, {plan, isDebugged, files = []}: ReloadCause = {}): Promise<void> {
    if (this.#over.signal.aborted) return
    this.#files = [...new Set([...this.#files, ...files])]
    const asked = this.#asked
    this.#asked = {why, plan: plan ?? asked?.plan, isDebugged: isDebugged ?? asked?.isDebugged}
    this.#interrupt()
    this.#running ??= this.#run()
    await this.#running
  }

  /** Nothing is started any more. */
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
    const words = `"${runtime.name}" is being reloaded`
    const stats = runtime.queue.startStats()
    let cut = 0
    let outcome: Outcome = 'over'
    runtime.queue.pause(words)
    try {
      while (this.#asked !== undefined && !this.#over.signal.aborted) {
        cut += await this.#drain(runtime.plan.stop.timeoutMs)
        if (this.#over.signal.aborted) return
        outcome = await this.#exchange()
      }
    } finally {
      runtime.queue.unpause(words)
    }
    if (outcome === 'up')
      reloaded({id: runtime.name, files: this.#takeFiles(), ...result(clock.now() - from, stats, cut)})
    else if (outcome === 'down') this.#tellDown(stats)
  }

  /** The old process ends, the new one starts; up to its being ready, its end, or the next asking. */
  async #exchange(): Promise<Outcome> {
    const {runtime} = this.#options
    const {why, plan, isDebugged = runtime.isDebugged} = this.#asked ?? {why: 'user'}
    this.#asked = undefined
    const {phase} = runtime.app.state
    const changesHands = isDebugged !== runtime.isDebugged
    if (changesHands) runtime.debug(isDebugged)
    if ((phase === 'idle' || isDebugged) && (plan !== undefined || changesHands)) {
      runtime.renewPool()
      await runtime.replace(why, plan)
    }
    if (phase === 'idle' || isDebugged || (plan === undefined && runtime.plan.command.length === 0)) return 'over'
    const {promise, resolve} = Promise.withResolvers<Outcome>()
    let hasBegun = false
    const off = runtime.onMove(() => {
      hasBegun ||= runtime.app.state.phase === 'starting'
      if (hasBegun && runtime.queue.state === 'open') resolve('up')
      if (hasBegun && runtime.queue.state === 'shut') resolve('down')
    })
    this.#interrupt = () => resolve(this.#over.signal.aborted ? 'over' : 'asked again')
    try {
      runtime.renewPool()
      if (plan === undefined && phase !== 'exited' && !changesHands) runtime.app.restart(why)
      else await runtime.replace(why, plan)
      return await promise
    } finally {
      off()
      this.#interrupt = () => undefined
    }
  }

  /** The calls under way end; those that do not within the app's grace are cut, and named. Tells how many. */
  async #drain(timeoutMs: number): Promise<number> {
    const {runtime, clock} = this.#options
    const pendingCalls = [...runtime.queue.inFlight.keys()]
    if (pendingCalls.length === 0) return 0
    const deadline = {ms: timeoutMs, over: this.#over.signal, clock}
    if (await withDeadline(deadline, async signal => runtime.queue.drained(signal))) return 0
    const left = pendingCalls.filter(pendingCall => runtime.queue.inFlight.has(pendingCall))
    if (this.#over.signal.aborted || left.length === 0) return 0
    this.#tellCut(left, timeoutMs)
    runtime.cutCalls()
    return left.length
  }

  get #canOverlap(): boolean {
    const {runtime} = this.#options
    const {state} = runtime.app
    const isUp = state.phase === 'running' && state.ready
    const isPlain = this.#asked?.plan === undefined && this.#asked?.isDebugged === undefined && !runtime.isDebugged
    return runtime.plan.reload === 'overlap' && runtime.plan.channel.autoPort && isUp && isPlain
  }

  async #overlap(): Promise<void> {
    const {runtime, reloaded, reporter, clock} = this.#options
    const from = clock.now()
    const {ready, stop: ending} = runtime.plan
    const stop = new AbortController()
    this.#asked = undefined
    this.#interrupt = () => stop.abort()
    const failure = await overlap(runtime, {
      signal: stop.signal,
      clock,
      healthyMs: ready.timeoutMs,
      timeoutMs: ending.timeoutMs,
      switched: () =>
        reloaded({
          id: runtime.name,
          files: this.#takeFiles(),
          tookMs: clock.now() - from,
          held: 0,
          longestMs: 0,
          lost: 0
        }),
      cut: left => this.#tellCut(left, ending.timeoutMs)
    })
    this.#interrupt = () => undefined
    if (failure !== '') reporter.warn('reload-failed', failure)
  }

  #takeFiles(): readonly string[] {
    const files = this.#files
    this.#files = []
    return files
  }

  #tellCut(left: readonly PendingCall[], timeoutMs: number): void {
    const {runtime, reporter, callCycle} = this.#options
    const why = left.map(callCycle).find(words => words !== '') ?? ''
    reporter.warn('calls-cut', cutText({id: runtime.name, left, ms: timeoutMs, after: 'the change'}) + why)
  }

  #tellDown({held, lost}: Readonly<QueueStats>): void {
    const {runtime, reporter} = this.#options
    if (held === 0) return // its crash has been told
    const calls = `${lost.toString()} of ${held.toString()} waiting calls were refused`
    reporter.warn('reload-failed', `"${runtime.name}" did not come up again; ${calls}`)
  }
}

const result = (
  tookMs: number,
  {held, longestMs, lost}: Readonly<QueueStats>,
  cut: number
): Omit<Reloaded, 'id' | 'files'> => ({
  tookMs,
  held,
  longestMs,
  lost: lost + cut
})
