import type {Supervised} from '../process/supervised.ts'

/** Starts a process; resolves with true when it is ready, with false when it has exited or the signal is aborted. `onMove`: as of the app's runtime. */
export async function reached(
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
