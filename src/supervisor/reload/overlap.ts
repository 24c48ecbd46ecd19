import type {Supervised} from '../process/supervised.ts'
import type {AppState} from '../../model/app-state.ts'
import type {Clock} from '../../platform/clock.ts'
import {withDeadline} from './deadline.ts'
import {UserError} from '../../model/errors.ts'
import {endOf} from '../../model/exit-text.ts'
import type {AdmissionQueue, PendingCall} from '../../proxy/gateway/admission-queue.ts'

/** A second process of an app, on its own port. */
export interface Candidate {
  readonly app: Supervised
  /** Resolves with true when it is ready, with false when it has exited or the signal is aborted. */
  ready(signal: AbortSignal): Promise<boolean>
  /** After `ready`: resolves with true when it is healthy or has no health check, with false when the signal is aborted. */
  healthy(signal: AbortSignal): Promise<boolean>
  /** Makes it the current process; returns the previous one. */
  promote(): Previous
  /** Stops it: it is no longer needed. */
  drop(): Promise<void>
}

/** The process that was replaced. */
export interface Previous {
  /** Closes the connections to it and cancels their calls, which get the reason. */
  cut(why: string): void
  stop(): Promise<void>
}

export interface Overlapping {
  readonly name: string
  readonly queue: AdmissionQueue
  /** The current process. */
  readonly app: Supervised
  /** Starts a candidate while the current process receives calls. */
  candidate(): Promise<Candidate>
}

/** Lets workers finish their open work, and gives them no more. False if the signal is aborted before. */
export type FinishWork = (signal: AbortSignal) => Promise<boolean>

export interface OverlapOptions {
  /** Aborted when the candidate is no longer needed. */
  readonly signal: AbortSignal
  /** Time for the candidate to become healthy after it is ready. */
  readonly healthyMs: number
  /** Time for the calls in the old process to finish. */
  readonly timeoutMs: number
  /** While it returns true, these calls wait for others, and no time is used up. */
  readonly isPaused?: (() => boolean) | undefined
  readonly clock: Clock
  /** Releases actors, which only one process may host. Their callers wait until the candidate has taken over. */
  readonly letGo: FinishWork
  /** Gives released work back to the current process after the candidate has ended. */
  readonly keepHosted: () => void
  /** Waits for the tasks of the current process's workers. The candidate's workers continue. */
  readonly finishWork: FinishWork
  /** The old process has ended: the remaining workers get work again. */
  readonly resumeWork: () => void
  readonly switched: () => void
  /** Reports calls that are cut after so many ms; returns the reason for their callers. */
  readonly cut: (left: readonly PendingCall[], tookMs: number) => string
}

/**
 * Replaces the process of an app by a candidate, which starts while the old process serves calls and takes over when it is
 * ready. No call waits. The old process is then drained and stopped; another candidate may take over while it is. Returns a
 * warning if the candidate does not become ready, or ''.
 */
export async function overlap(
  runtime: Overlapping,
  {signal, healthyMs, switched, letGo, keepHosted, ...shared}: OverlapOptions
): Promise<string> {
  const candidate = await runtime.candidate().catch((error: unknown) => {
    if (error instanceof UserError) return error // there is no port for it
    throw error
  })
  if (candidate instanceof UserError) return `${candidate.message}: ${GOES_ON}. ${candidate.explanation}`
  const isUp = await comesUp(candidate, {signal, healthyMs, ...shared})
  if (isUp) await withDeadline({ms: shared.timeoutMs, over: signal, clock: shared.clock}, letGo)
  // it may have ended, or its leader has and the rest of its group is ending
  if (!isUp || candidate.app.state.phase === 'exited' || isEnding(candidate.app.state)) {
    if (isUp) keepHosted()
    if (isUp && isEnding(candidate.app.state) && !signal.aborted) await candidate.app.ended
    const why = signal.aborted ? '' : whyNotUp(candidate.app.state, healthyMs)
    await candidate.drop()
    const rest = runtime.app.state.phase === 'running' ? `: ${GOES_ON}` : ''
    return why === '' ? '' : `the new process of "${runtime.name}" ${why}${rest}`
  }
  void leave(runtime.queue, () => candidate.promote(), shared)
  switched()
  return ''
}

const isEnding = (state: AppState): boolean => state.phase === 'running' && !state.ready

const GOES_ON = 'the old process continues'

/** Lets the calls and the work in the old process finish, or cancels them after the timeout; then stops it. */
async function leave(
  queue: AdmissionQueue,
  exchange: () => Previous,
  options: Pick<OverlapOptions, 'timeoutMs' | 'isPaused' | 'clock' | 'cut' | 'finishWork' | 'resumeWork'>
): Promise<void> {
  const {timeoutMs, isPaused, clock, cut, finishWork, resumeWork} = options
  const from = clock.now()
  const inside = [...queue.inFlight.keys()]
  const drained = withDeadline({ms: timeoutMs, isPaused, clock}, async stop =>
    (await Promise.all([queue.drained(stop), finishWork(stop)])).every(Boolean)
  ) // of those inside now
  const old = exchange()
  if (!(await drained)) {
    const {inFlight} = queue // a copy
    const left = inside.filter(pendingCall => inFlight.has(pendingCall))
    old.cut(left.length > 0 ? cut(left, Math.max(timeoutMs, clock.now() - from)) : '')
  }
  await old.stop()
  resumeWork()
}

/** Whether a candidate becomes ready, and healthy in time. */
async function comesUp(
  candidate: Candidate,
  {signal, healthyMs, clock}: Pick<OverlapOptions, 'signal' | 'healthyMs' | 'clock'>
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
