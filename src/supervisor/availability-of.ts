import {succeeded, type AppState} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'

interface Judged {
  readonly app: {readonly state: AppState}
  /** Calls to it are sent, not held back. */
  readonly queue: {readonly isOpen: boolean}
  readonly isUnhealthy: boolean
  readonly isDebugged: boolean
  /** It was never started, as what it depends on has failed. */
  readonly isGivenUp: boolean
}

/** Whether an app that the user has not stopped can be used. */
export function availabilityOf({app: {state}, queue, isUnhealthy, isDebugged, isGivenUp}: Judged): Availability {
  if (state.phase === 'running' && state.ready && queue.isOpen && !isUnhealthy) return 'ready'
  if (isDebugged) return 'debugged'
  if (hasFinished(state)) return 'finished'
  return isGivenUp || isDown(state) ? 'never' : 'waiting'
}

/** The process has ended with 0 and is not started again by itself. */
const hasFinished = (state: AppState): boolean =>
  (state.phase === 'exited' && !state.asked && succeeded(state.exit)) ||
  (state.phase === 'backoff' && state.until === Infinity && succeeded(state.last))

/** There is no process, and none will be started automatically. */
const isDown = (state: AppState): boolean =>
  state.phase === 'exited' || (state.phase === 'backoff' && state.until === Infinity)
