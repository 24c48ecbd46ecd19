import type {AppState} from '../../model/app-state.ts'
import {endOf} from '../../model/exit-text.ts'

/** The error text for calls to an app that cannot answer: what happened to it, when, and the most useful line of its last output. */
export function whyNot(id: string, state: AppState, {at, line}: {at: Date; line: string}): string {
  const words = line === '' ? '' : `: ${line}`
  switch (state.phase) {
    case 'idle':
      return `"${id}" has not been started`
    case 'starting':
      return `"${id}" is starting`
    case 'running':
      return state.ready ? `"${id}" refused the connection` : `"${id}" is running but not ready`
    case 'stopping':
      return `"${id}" is stopping`
    case 'backoff':
      return `"${id}" ${endOf(state.last)} at ${clock(at)} and ${state.until === Infinity ? 'restarts when one of its files changes' : 'will be restarted'}${words}`
    case 'exited':
      return state.exit === undefined ? `"${id}" was stopped` : `"${id}" ${endOf(state.exit)} at ${clock(at)}${words}`
  }
}

const clock = (at: Date): string => at.toTimeString().slice(0, 8)
