import type {AppRuntime} from '../app-runtime.ts'
import type {Candidate, Previous} from './candidate.ts'
import type {AppState} from '../../model/app-state.ts'
import type {Clock} from '../../platform/clock.ts'
import {drain, withDeadline} from './deadline.ts'
import {UserError} from '../../model/errors.ts'
import {endOf} from '../../model/exit-text.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'

/** Lets a process finish its open work, and gives it no new work. Resolves with false if the signal is aborted before. */
export type FinishWork = (signal: AbortSignal) => Promise<boolean>

/** Functions for the work that the process of an app has besides calls: actors, workflows, activities. */
export interface HostedWork {
  /** Takes the actors away from the process, since only one process may host an actor. Their calls wait for the next process. */
  readonly letGo: (app: AppRuntime) => FinishWork
  /** Time limit of `letGo`, in ms; used if it is longer than the app's grace period. */
  readonly letGoMs: (app: AppRuntime) => number
  /** Gives the actors back to the process. */
  readonly keepHosted: (app: AppRuntime) => void
  /** Waits for the tasks of the workers that are connected now. Workers of another process of the app continue. */
  readonly finishWork: (app: AppRuntime) => FinishWork
  /** Gives work to the app's workers again, also to those of the old process if it stays. */
  readonly resumeWork: (app: AppRuntime) => void
}

/** The options for replacing a process. */
export interface ExchangeOptions extends HostedWork {
  readonly runtime: AppRuntime
  /** Returns whether a call of the process is queued at an app that does not wait for this one. The deadline pauses meanwhile. */
  readonly waitsForOthers?: (() => boolean) | undefined
  /** Reports calls that are cancelled after their time. Returns the reason for their callers. */
  readonly cut: (left: readonly PendingCall[], tookMs: number) => string
  readonly clock: Clock
}

export interface OverlapOptions extends Omit<ExchangeOptions, 'resumeWork'> {
  /** Aborted when the candidate is no longer needed. */
  readonly signal: AbortSignal
}

/** Result of an overlap. `left`: settles when the old process has ended. `why`: warning about a failed candidate; '': the candidate was not needed any more. */
export type Overlapped =
  | {readonly kind: 'taken over'; readonly left: Promise<void>}
  | {readonly kind: 'kept'; readonly why: string}

/**
 * Replaces the process of an app by a candidate, which starts while the old process serves calls, and takes over when it is ready, so that no
 * call waits. Resolves then. The old process finishes its calls and is stopped later (`left`), while another candidate may take over.
 */
export async function overlap(options: OverlapOptions): Promise<Overlapped> {
  const {runtime, signal, clock, letGo, letGoMs, keepHosted, finishWork} = options
  const [letActorsGo, finish] = [letGo(runtime), finishWork(runtime)]
  const timeoutMs = Math.max(runtime.plan.stop.timeoutMs, letGoMs(runtime))
  const healthyMs = runtime.plan.ready.timeoutMs
  const candidate = await runtime.candidate().catch((error: unknown) => {
    if (error instanceof UserError) return error // no port is free for the candidate
    throw error
  })
  if (candidate instanceof UserError)
    return {kind: 'kept', why: `${candidate.message}: ${GOES_ON}. ${candidate.explanation}`}
  const isUp = await comesUp(candidate, {signal, healthyMs, clock})
  if (isUp) await withDeadline({ms: timeoutMs, over: signal, clock}, letActorsGo)
  // meanwhile the candidate may have exited, or its leader has, while the rest of its group is ending
  if (!isUp || candidate.app.state.phase === 'exited' || isEnding(candidate.app.state)) {
    if (isUp) keepHosted(runtime)
    if (isUp && isEnding(candidate.app.state) && !signal.aborted) await candidate.app.ended
    const why = signal.aborted ? '' : whyNotUp(candidate.app.state, healthyMs)
    await candidate.drop()
    const rest = runtime.app.state.phase === 'running' ? `: ${GOES_ON}` : ''
    return {kind: 'kept', why: why === '' ? '' : `the new process of "${runtime.name}" ${why}${rest}`}
  }
  return {kind: 'taken over', left: leave(() => candidate.promote(), timeoutMs, finish, options)}
}

const isEnding = (state: AppState): boolean => state.phase === 'running' && !state.ready

const GOES_ON = 'the old process continues'

/** Exchanges the processes, lets calls and work in the old process finish or cancels them after the timeout, then stops that process. */
async function leave(
  exchange: () => Previous,
  timeoutMs: number,
  finish: FinishWork,
  {runtime, waitsForOthers: isPaused, clock, cut}: OverlapOptions
): Promise<void> {
  const draining = drain(runtime.queue, [finish], {ms: timeoutMs, isPaused, clock}) // before the exchange: covers only calls to the old process
  const old = exchange()
  const {isDone, left, tookMs} = await draining
  if (!isDone) old.cut(left.length > 0 ? cut(left, tookMs) : '')
  await old.stop()
}

/** Resolves with whether a candidate becomes ready, and healthy in time. */
async function comesUp(
  candidate: Candidate,
  {signal, healthyMs, clock}: {readonly signal: AbortSignal; readonly healthyMs: number; readonly clock: Clock}
): Promise<boolean> {
  if (!(await candidate.ready(signal))) return false
  const ended = candidate.app.ended.then(() => false)
  return withDeadline({ms: healthyMs, over: signal, clock}, async stop =>
    Promise.race([candidate.healthy(stop), ended])
  )
}

function whyNotUp(state: AppState, healthyMs: number): string {
  if (state.phase !== 'exited') return `was not healthy within ${healthyMs / 1000} s`
  return state.asked || state.exit === undefined ? '' : endOf(state.exit)
}
