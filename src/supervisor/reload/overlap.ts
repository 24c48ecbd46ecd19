import type {Supervised} from '../process/supervised.ts'
import type {AppState} from '../../model/app-state.ts'
import type {Clock} from '../../platform/clock.ts'
import {withDeadline} from './deadline.ts'
import {endOf} from '../messages/why-not-running.ts'
import type {AdmissionQueue, PendingCall} from '../../gateway/admission-queue.ts'

/** A second process of an app, on a port of its own. */
export interface Candidate {
  readonly app: Supervised
  /** True once it is ready, false once it has ended or the signal is aborted. */
  ready(signal: AbortSignal): Promise<boolean>
  /** Of one that is ready: true once its health is good, or is not asked for; false once the signal is aborted. */
  healthy(signal: AbortSignal): Promise<boolean>
  /** It is the app from now on. Gives what leads to the old one. */
  promote(): Previous
  /** It is wanted no more. */
  drop(): Promise<void>
}

export interface Reach {
  /** Aborted: it is not waited for any more. */
  readonly signal: AbortSignal
  /** Told after each move of any process of the app; what it returns ends that. */
  readonly onMove: (listener: () => void) => () => void
}

/** Starts a process; true once it is ready, false when it has ended or is not waited for any more. */
export async function reached(app: Supervised, {signal, onMove}: Reach): Promise<boolean> {
  const {promise, resolve} = Promise.withResolvers<boolean>()
  const look = (): void => {
    if (app.state.phase === 'running' && app.state.ready) resolve(true)
    if (app.state.phase === 'exited' || signal.aborted) resolve(false)
  }
  const off = onMove(look)
  signal.addEventListener('abort', look, {once: true})
  try {
    await app.start()
    look()
    return await promise
  } finally {
    off()
  }
}

/** The process that was exchanged. */
export interface Previous {
  /** Ends the connections to it, and the calls on them. */
  cut(): void
  stop(): Promise<void>
}

export interface Overlapping {
  readonly name: string
  readonly queue: AdmissionQueue
  /** The process that takes calls. */
  readonly app: Supervised
  /** Starts a candidate while the current process receives calls. */
  candidate(): Promise<Candidate>
}

export interface OverlapOptions {
  /** Aborted: the new process is not wanted any more. */
  readonly signal: AbortSignal
  /** How long the new process may take to be well once it is ready. */
  readonly healthyMs: number
  /** How long the calls in the old process may take to end. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly switched: () => void
  readonly cut: (left: readonly PendingCall[]) => void
}

/**
 * Replaces the process of an app by a candidate, which starts while the old one serves calls and takes over when it is ready. No call
 * waits. The old one is drained and stopped after that: another one may take over meanwhile. Gives what is to be told when
 * the new one does not come up.
 */
export async function overlap(
  runtime: Overlapping,
  {signal, healthyMs, switched, ...shared}: OverlapOptions
): Promise<string> {
  const candidate = await runtime.candidate()
  if (!(await comesUp(candidate, {signal, healthyMs, ...shared}))) {
    const why = signal.aborted ? '' : whyNotUp(candidate.app.state, healthyMs)
    await candidate.drop()
    const rest = runtime.app.state.phase === 'running' ? ': the old one goes on' : ''
    return why === '' ? '' : `the new process of "${runtime.name}" ${why}${rest}`
  }
  void leave(runtime.queue, () => candidate.promote(), shared)
  switched()
  return ''
}

/** The calls that are with the old process when it is exchanged end, or are cut; then it is stopped. */
async function leave(
  queue: AdmissionQueue,
  exchange: () => Previous,
  {timeoutMs, clock, cut}: Pick<OverlapOptions, 'timeoutMs' | 'clock' | 'cut'>
): Promise<void> {
  const inside = [...queue.inFlight.keys()]
  const drained = withDeadline({ms: timeoutMs, clock}, async stop => queue.drained(stop)) // of those inside now
  const old = exchange()
  if (!(await drained)) {
    const left = inside.filter(pendingCall => queue.inFlight.has(pendingCall))
    if (left.length > 0) cut(left)
    old.cut()
  }
  await old.stop()
}

/** Whether a new process is ready, and well in time; it may also end before, or not be wanted any more. */
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
  if (state.phase !== 'exited') return `was not healthy within ${(healthyMs / 1000).toString()} s`
  return state.asked || state.exit === undefined ? '' : endOf(state.exit)
}
