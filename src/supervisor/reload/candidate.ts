import type {AppPlan} from '../../model/plan.ts'
import type {AppChannel} from '../../proxy/gateway/app-channel.ts'
import {freeAppPort} from '../../proxy/ports/app-port.ts'
import {ownAppPorts} from '../../proxy/ports/usual-ports.ts'
import type {Opening} from '../opening.ts'
import type {Supervised} from '../process/supervised.ts'

/** A second process of an app on its own port, which may replace the current one. */
export interface Candidate {
  readonly app: Supervised
  /** Starts the process and waits until it is ready. Resolves with false when it has exited or the signal is aborted. */
  ready(signal: AbortSignal): Promise<boolean>
  /** Waits after `ready` until the process is healthy, if the app has a health check. Resolves with false when the signal is aborted. */
  healthy(signal: AbortSignal): Promise<boolean>
  /** Makes the candidate the current process. Returns the previous one. */
  promote(): Previous
  /** Stops a candidate that is no longer needed. */
  drop(): Promise<void>
}

/** The process that was replaced. */
export interface Previous {
  /** Closes the connections to the process, which cancels their calls. `why`: reason for the callers. */
  cut(why: string): void
  stop(): Promise<void>
}

/** The app whose process a candidate replaces. */
interface Replaced {
  readonly name: string
  readonly plan: AppPlan
  readonly opening: Opening
  onMove(listener: () => void): () => void
}

/** Creates a second process of an app, on a port of its own. `channel`: channel of the calls to the app. */
export async function candidateOf(runtime: Replaced, channel: AppChannel): Promise<Candidate> {
  const {name, opening} = runtime
  const {program, status, logs, ports} = opening
  const whose = `the new process of "${name}"`
  const port = await freeAppPort(new Set([channel.appPort]), {whose, wanted: ownAppPorts(ports.httpPort)})
  const logStart = logs.app.record.length
  const app = program.candidate(runtime.plan, port)
  return {
    app,
    ready: async signal => reached(app, signal, listener => runtime.onMove(listener)),
    healthy: async signal => channel.isHealthyAt(port, signal),
    drop: async () => program.stopOther(app, 'watch'),
    promote: () => {
      const old = program.promote(app)
      opening.logStart = logStart
      status.promoted()
      return {cut: channel.switchTo(port), stop: async () => program.stopOther(old, 'watch')}
    }
  }
}

/** Starts a process and waits until it is ready. Resolves with false when it has exited or the signal is aborted. `onMove`: adds a listener for changes. */
async function reached(
  app: Supervised,
  signal: AbortSignal,
  onMove: (listener: () => void) => () => void
): Promise<boolean> {
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
