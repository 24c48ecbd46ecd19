import type {ListedApp, RunListing} from '../../control/messages.ts'

/** Whether an app can be used, or ended as a job does; `never`: it will not by itself. */
export function standing({state, isReady, exitCode, restartsAt}: ListedApp): 'ready' | 'waiting' | 'never' {
  switch (state) {
    case 'running':
      return isReady ? 'ready' : 'waiting'
    case 'exited':
      return exitCode === 0 ? 'ready' : 'never'
    case 'backoff':
      return restartsAt === 0 ? 'never' : 'waiting'
    case 'stopped':
      return 'never'
    case 'debugging': // the user has left it out
      return 'ready'
    default:
      return 'waiting'
  }
}

export interface Readiness {
  readonly isReady: boolean
  /** An app will not become ready by itself. */
  readonly isOver: boolean
}

/** Whether all apps of a run are ready. */
export function readinessOf({apps}: RunListing): Readiness {
  const all = apps.map(standing)
  return {isReady: all.every(each => each === 'ready'), isOver: all.includes('never')}
}
