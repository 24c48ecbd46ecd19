import type {SharedTerminal} from '../control/run-control.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {isDown} from '../supervisor/availability-of.ts'

/** Returns the terminal of an app, or the reason why it has none. `starts`: starts a sleeping app, and waits for it until `gone` is aborted. */
export async function sharedTerminal(
  runtime: AppRuntime,
  starts: boolean,
  gone: AbortSignal
): Promise<SharedTerminal | string> {
  const {plan} = runtime
  if (plan.command.length === 0) return 'it has no command, only a sidecar'
  if (runtime.isDebugged) return 'it is in a debugger, which has its terminal'
  if (plan.tty !== true) return 'it has no terminal: the template gives it one by tty: true'
  if (starts) {
    runtime.sleep.wake('a terminal')
    while (runtime.sleep.isWaking && !gone.aborted) await moved(runtime, gone)
  }
  const terminal = runtime.terminal()
  if (terminal === undefined) return starts && runtime.sleep.isAsleep ? NOT_WOKEN : 'it is not started yet'
  if (runtime.app.state.phase === 'exited') return ENDED
  return {
    attach: viewer => terminal.attach(viewer),
    resize: size => terminal.resize(size),
    type: async (bytes, left) => {
      while (!left.aborted) {
        const {app} = runtime
        if (app.terminal !== undefined && 'pid' in app.state && app.state.pid !== undefined) {
          await app.terminal.type(bytes, left)
          return ''
        }
        if (isDown(runtime.app.state)) return ENDED
        await moved(runtime, left)
      }
      return ''
    }
  }
}

const ENDED = 'its process has ended'
const NOT_WOKEN = 'it is asleep, and could not be started'

const moved = async (runtime: AppRuntime, gone: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const done = (): void => {
      off()
      gone.removeEventListener('abort', done)
      resolve()
    }
    const off = runtime.onMove(done)
    gone.addEventListener('abort', done)
  })
