import type {Supervised} from '../process/supervised.ts'

export interface Reach {
  /** Aborted to stop waiting. */
  readonly signal: AbortSignal
  /** Calls the listener after each state change of a process of the app; the returned function ends that. */
  readonly onMove: (listener: () => void) => () => void
}

/** Starts a process; resolves with true when it is ready, with false when it has exited or the signal is aborted. */
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
