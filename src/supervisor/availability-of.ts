import {succeeded, type AppState} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'

interface Judged {
  readonly app: {readonly state: AppState}
  /** `isOpen`: calls to the app are sent, not queued. */
  readonly queue: {readonly isOpen: boolean}
  readonly isUnhealthy: boolean
  readonly isDebugged: boolean
  /** Whether `--except` has left the start to the user. */
  readonly isExcepted: boolean
  readonly appPort: number
  /** Whether an edit of the template is about to open the app again. */
  readonly isBetweenOpenings: boolean
  /** Whether a failed dependency has prevented the start. */
  readonly isGivenUp: boolean
}

/** Returns the availability of an app that the user has not stopped. */
export function availabilityOf(judged: Judged): Availability {
  const {app, queue, isUnhealthy, isDebugged, isExcepted, appPort, isGivenUp, isBetweenOpenings} = judged
  const {state} = app
  if (isBetweenOpenings) return 'waiting'
  if (state.phase === 'asleep') return 'asleep'
  if (isExcepted && appPort === 0) return 'stopped' // without a port, Pillion cannot see whether the user has started it
  if (state.phase === 'running' && state.ready && queue.isOpen && !isUnhealthy) return 'ready'
  if (isDebugged) return isExcepted ? 'stopped' : 'debugged'
  if (hasFinished(state)) return 'finished'
  return isGivenUp || isDown(state) ? 'never' : 'waiting'
}

/** Whether the process has exited with code 0 and is not restarted automatically. */
const hasFinished = (state: AppState): boolean =>
  (state.phase === 'exited' && !state.asked && succeeded(state.exit)) ||
  (state.phase === 'backoff' && state.until === Infinity && succeeded(state.last))

/** Whether the app has no process, and none will be started automatically. */
export const isDown = (state: AppState): boolean =>
  state.phase === 'exited' || (state.phase === 'backoff' && state.until === Infinity)
