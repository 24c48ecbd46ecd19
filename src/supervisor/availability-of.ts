import {succeeded, type AppState} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'

interface Judged {
  readonly app: {readonly state: AppState}
  /** `isOpen`: calls to it are sent, not held. */
  readonly queue: {readonly isOpen: boolean}
  readonly isUnhealthy: boolean
  readonly isDebugged: boolean
  /** Whether `--except` has left it to the user. */
  readonly isExcepted: boolean
  readonly appPort: number
  /** Whether an edit of the template is about to open it. */
  readonly isBetweenOpenings: boolean
  /** Whether it never started because a dependency has failed. */
  readonly isGivenUp: boolean
}

/** Whether an app that the user has not stopped can be used. */
export function availabilityOf(judged: Judged): Availability {
  const {app, queue, isUnhealthy, isDebugged, isExcepted, appPort, isGivenUp, isBetweenOpenings} = judged
  const {state} = app
  if (isBetweenOpenings) return 'waiting'
  if (state.phase === 'asleep') return 'asleep'
  if (isExcepted && appPort === 0) return 'stopped' // whether the user has started it is unknown
  if (state.phase === 'running' && state.ready && queue.isOpen && !isUnhealthy) return 'ready'
  if (isDebugged) return isExcepted ? 'stopped' : 'debugged'
  if (hasFinished(state)) return 'finished'
  return isGivenUp || isDown(state) ? 'never' : 'waiting'
}

/** Whether the process has ended with 0 and is not started again by itself. */
const hasFinished = (state: AppState): boolean =>
  (state.phase === 'exited' && !state.asked && succeeded(state.exit)) ||
  (state.phase === 'backoff' && state.until === Infinity && succeeded(state.last))

/** Whether there is no process, and none will be started automatically. */
export const isDown = (state: AppState): boolean =>
  state.phase === 'exited' || (state.phase === 'backoff' && state.until === Infinity)
