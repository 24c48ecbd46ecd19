import type {Supervised} from '../../app/supervised.ts'
import type {AppState} from '../../state.ts'
import {withDeadline} from './deadline.ts'
import {endOf} from '../words/reasons.ts'
import type {Gate, Visit} from '../calls/gate.ts'

/** A second process of an app, on a port of its own. */
export interface Beside {
  readonly app: Supervised
  /** True once it is ready, false once it has ended or the signal is aborted. */
  ready(signal: AbortSignal): Promise<boolean>
  /** Of one that is ready: true once its health is good, or is not asked for; false once the signal is aborted. */
  well(signal: AbortSignal): Promise<boolean>
  /** It is the app from now on. Gives what leads to the old one. */
  takeOver(): Old
  /** It is wanted no more. */
  drop(): Promise<void>
}

export interface Reaching {
  /** Aborted: it is not waited for any more. */
  readonly signal: AbortSignal
  /** Told after each move of any process of the app; what it returns ends that. */
  readonly onMove: (listener: () => void) => () => void
}

/** Starts a process; true once it is ready, false when it has ended or is not waited for any more. */
export async function reached(app: Supervised, {signal, onMove}: Reaching): Promise<boolean> {
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
export interface Old {
  /** Ends the connections to it, and the calls on them. */
  cut(): void
  stop(): Promise<void>
}

export interface Overlapping {
  readonly id: string
  readonly gate: Gate
  /** The process that takes calls. */
  readonly app: Supervised
  /** Starts a second process beside the one that lives. */
  beside(): Promise<Beside>
}

export interface OverlapOptions {
  /** Aborted: the new process is not wanted any more. */
  readonly signal: AbortSignal
  /** How long the new process may take to be well once it is ready. */
  readonly wellMs: number
  /** How long the calls in the old process may take to end. */
  readonly timeoutMs: number
  readonly switched: () => void
  readonly cut: (left: readonly Visit[]) => void
}

/**
 * Hands an app over from its process to a new one: it starts beside the old one and takes over when it is ready. No call
 * waits. The old one is drained and stopped after that: another one may take over meanwhile. Gives what is to be told when
 * the new one does not come up.
 */
export async function overlap(
  member: Overlapping,
  {signal, wellMs, switched, ...ending}: OverlapOptions
): Promise<string> {
  const beside = await member.beside()
  if (!(await comesUp(beside, {signal, wellMs}))) {
    const why = signal.aborted ? '' : whyNotUp(beside.app.state, wellMs)
    await beside.drop()
    const rest = member.app.state.phase === 'running' ? ': the old one goes on' : ''
    return why === '' ? '' : `the new process of "${member.id}" ${why}${rest}`
  }
  void leave(member.gate, () => beside.takeOver(), ending)
  switched()
  return ''
}

/** The calls that are with the old process when it is exchanged end, or are cut; then it is stopped. */
async function leave(
  gate: Gate,
  exchange: () => Old,
  {timeoutMs, cut}: Pick<OverlapOptions, 'timeoutMs' | 'cut'>
): Promise<void> {
  const inside = [...gate.inside.keys()]
  const drained = withDeadline({ms: timeoutMs}, async stop => gate.drained(stop)) // of those inside now
  const old = exchange()
  if (!(await drained)) {
    const left = inside.filter(visit => gate.inside.has(visit))
    if (left.length > 0) cut(left)
    old.cut()
  }
  await old.stop()
}

/** Whether a new process is ready, and well in time; it may also end before, or not be wanted any more. */
async function comesUp(beside: Beside, {signal, wellMs}: Pick<OverlapOptions, 'signal' | 'wellMs'>): Promise<boolean> {
  if (!(await beside.ready(signal))) return false
  const ended = beside.app.ended.then(() => false)
  return withDeadline({ms: wellMs, over: signal}, async stop => Promise.race([beside.well(stop), ended]))
}

function whyNotUp(state: AppState, wellMs: number): string {
  if (state.phase !== 'exited') return `was not healthy within ${(wellMs / 1000).toString()} s`
  return state.asked || state.exit === undefined ? '' : endOf(state.exit)
}
