import {exitOf, type AppState} from '../../model/app-state.ts'
import {loopText, type ExitLoop, endOf, WAITS_FOR_SAVE} from '../../model/exit-text.ts'

interface NotRunning {
  readonly id: string
  /** The id, with the instance number except for the first instance. */
  readonly name: string
  readonly appPort: number
  /** Reason why the app has not been started; '': it was, or will be. */
  readonly obstacle: string
  readonly isExcepted: boolean
  readonly isDebugged: boolean
  readonly app: {readonly bestLine: string}
}

/** Time of the latest change of state, and the loop of exits; null: none. */
interface Status {
  readonly movedAt: Date
  readonly loop: ExitLoop | null
}

/** Returns the error for calls to an app that cannot respond: why it has not started, or how it has ended. */
export function whyNotRunning(app: NotRunning, state: AppState, {movedAt: at, loop}: Status): string {
  const {id, name, appPort, obstacle, isExcepted, isDebugged} = app
  if (obstacle !== '' && state.phase === 'exited' && state.exit === undefined) return obstacle
  if (isExcepted && state.phase !== 'exited')
    return `"${name}" is not started (--except): start it yourself, or by "pillion start ${id}"`
  if (isDebugged && (state.phase === 'starting' || state.phase === 'running'))
    return `"${name}" is in a debugger, and nothing listens on its port ${appPort}`
  const isUp = state.phase === 'running' && state.ready
  const line = isUp ? '' : app.app.bestLine
  if (loop !== null && state.phase === 'backoff') return `"${name}" ${loopText(loop)}${line === '' ? '' : `: ${line}`}`
  return whyInState(name, state, {at, line})
}

/** Returns why the latest process of an app could not be started; '': it could. */
export function whyNotSpawned(state: AppState): string {
  const exit = exitOf(state)
  return exit?.kind === 'spawn-error' ? `it could not be started: ${exit.message}` : ''
}

/** Describes a state. `line`: most useful line of the last output; '': none. */
function whyInState(id: string, state: AppState, {at, line}: {at: Date; line: string}): string {
  const words = line === '' ? '' : `: ${line}`
  switch (state.phase) {
    case 'idle':
      return `"${id}" has not been started`
    case 'starting':
      return `"${id}" is starting`
    case 'running':
      return state.ready ? `"${id}" refused the connection` : `"${id}" is running but not ready${words}`
    case 'stopping':
      return `"${id}" is stopping`
    case 'backoff':
      return `"${id}" ${endOf(state.last)} at ${clock(at)} and ${state.until === Infinity ? WAITS_FOR_SAVE : 'is restarting'}${words}`
    case 'asleep':
      return state.last === undefined
        ? `"${id}" is asleep`
        : `"${id}" ${endOf(state.last)} at ${clock(at)}, and starts again with its next call${words}`
    case 'exited':
      return state.exit === undefined ? `"${id}" was stopped` : `"${id}" ${endOf(state.exit)} at ${clock(at)}${words}`
  }
}

const clock = (at: Date): string => at.toTimeString().slice(0, 8)
