import type {AppRuntime} from '../app-runtime.ts'
import type {Candidate, Previous} from './candidate.ts'
import type {AppState} from '../../model/app-state.ts'
import type {Clock} from '../../platform/clock.ts'
import {drain, withDeadline} from './deadline.ts'
import {UserError} from '../../model/errors.ts'
import {endOf} from '../../model/exit-text.ts'
import type {PendingCall} from '../../proxy/gateway/admission-queue.ts'

/** Lets workers finish their open work, without new work. Resolves with false if the signal is aborted before. */
export type FinishWork = (signal: AbortSignal) => Promise<boolean>

/** The work that the process of an app has besides calls. */
export interface HostedWork {
  /** Releases actors, which only one process may host. Their calls wait until the next process has taken over. */
  readonly letGo: (app: AppRuntime) => FinishWork
  /** Time limit of that release, in ms, if longer than the app's grace period. */
  readonly letGoMs: (app: AppRuntime) => number
  /** Returns the hosted actors to the process. */
  readonly keepHosted: (app: AppRuntime) => void
  /** Waits for the tasks of the app's current workers. Tasks of another process of the app continue. */
  readonly finishWork: (app: AppRuntime) => FinishWork
  /** Gives work to the remaining workers (a debugger's) again, even if the process was not exchanged. */
  readonly resumeWork: (app: AppRuntime) => void
}

/** The needs of an exchange of processes. */
export interface ExchangeOptions extends HostedWork {
  readonly runtime: AppRuntime
  /** Whether a call of its process is queued at an app that does not wait for this app. The deadline pauses for that time. */
  readonly waitsForOthers?: (() => boolean) | undefined
  /** Reports calls that are cut after so many ms; returns the reason for their callers. */
  readonly cut: (left: readonly PendingCall[], tookMs: number) => string
  readonly clock: Clock
}

export interface OverlapOptions extends Omit<ExchangeOptions, 'resumeWork'> {
  /** Aborted when the candidate is no longer needed. */
  readonly signal: AbortSignal
}

/**
 * Result of an overlap. `left` settles when the old process has ended, and rejects if it could not be ended. `why`: a warning about a
 * failed candidate; '' if it was no longer needed.
 */
export type Overlapped =
  | {readonly kind: 'taken over'; readonly left: Promise<void>}
  | {readonly kind: 'kept'; readonly why: string}

/**
 * Replaces the process of an app by a candidate, which starts while the old process serves calls, and takes over when it is ready. No
 * call waits. Then the old process is drained and stopped; another candidate may take over meanwhile.
 */
export async function overlap(options: OverlapOptions): Promise<Overlapped> {
  const {runtime, signal, clock, letGo, letGoMs, keepHosted, finishWork} = options
  const [letActorsGo, finish] = [letGo(runtime), finishWork(runtime)]
  const timeoutMs = Math.max(runtime.plan.stop.timeoutMs, letGoMs(runtime))
  const healthyMs = runtime.plan.ready.timeoutMs
  const candidate = await runtime.candidate().catch((error: unknown) => {
    if (error instanceof UserError) return error // there is no port for it
    throw error
  })
  if (candidate instanceof UserError)
    return {kind: 'kept', why: `${candidate.message}: ${GOES_ON}. ${candidate.explanation}`}
  const isUp = await comesUp(candidate, {signal, healthyMs, clock})
  if (isUp) await withDeadline({ms: timeoutMs, over: signal, clock}, letActorsGo)
  // it may have ended, or its leader has and the rest of its group is ending
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

/** Lets the calls and the work in the old process finish, or cancels them after the timeout; then stops it. */
async function leave(
  exchange: () => Previous,
  timeoutMs: number,
  finish: FinishWork,
  {runtime, waitsForOthers: isPaused, clock, cut}: OverlapOptions
): Promise<void> {
  const draining = drain(runtime.queue, [finish], {ms: timeoutMs, isPaused, clock}) // of the calls that are in flight now
  const old = exchange()
  const {isDone, left, tookMs} = await draining
  if (!isDone) old.cut(left.length > 0 ? cut(left, tookMs) : '')
  await old.stop()
}

/** Whether a candidate becomes ready, and healthy in time. */
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
