/**
 * `wiring`: ports, logs, sidecars and the socket are opened; `starting`: the first apps are spawned, their start lines are
 * not printed yet; `stopping`: a stop was requested, or all apps have exited; `ended`: nothing is left.
 */
type Phase = 'wiring' | 'starting' | 'running' | 'stopping' | 'ended'

/** The phase of a run, and the signals that stop it. */
export class Lifetime {
  phase: Phase = 'wiring'
  /** Whether a sidecar was asked to shut down without a grace period. Then the run has failed. */
  isForced = false
  readonly #stopRequested = new AbortController()
  readonly #now = new AbortController()

  /** Aborted when a stop is requested; not when all apps have exited by themselves. */
  get stopRequested(): AbortSignal {
    return this.#stopRequested.signal
  }

  /** Aborted to stop without a grace period. */
  get now(): AbortSignal {
    return this.#now.signal
  }

  /** Whether the run is stopping or has ended, so that nothing may be spawned. */
  get isOver(): boolean {
    return this.phase === 'stopping' || this.phase === 'ended'
  }

  requestStop(): void {
    this.phase = 'stopping'
    this.#stopRequested.abort()
  }

  /** Ends the grace period. */
  stopNow(): void {
    this.#now.abort()
  }
}
