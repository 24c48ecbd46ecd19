import type {RunContext} from '../run-context.ts'
import {longestGraceMs} from '../../supervisor/run-watchdog.ts'
import type {OpenSidecar, SidecarServers} from '../../dapr/sidecar/open-sidecar.ts'
import {cutText} from '../../supervisor/messages/cut.ts'
import type {FinishWork} from '../../supervisor/reload/overlap.ts'
import {drain, withDeadline} from '../../supervisor/reload/deadline.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {AppOwner} from '../../supervisor/owner/owner.ts'
import {reportNote} from '../../supervisor/messages/note-text.ts'
import {stopInOrder} from '../../supervisor/order/stop-order.ts'
import {endMarked} from '../../supervisor/process/end-group.ts'

/**
 * Stops the apps of a run, dependents first, each after `deactivate` has deactivated its actors. Then ends the processes of components by
 * `endComponents`, then all processes with the run's marker.
 */
export async function endApps(
  apps: readonly AppRuntime[],
  {run, lifetime: {now}, reporter, spared}: RunContext & {readonly spared: readonly string[]},
  deactivate: (runtime: AppRuntime) => Promise<void>,
  endComponents: () => Promise<unknown>
): Promise<void> {
  const stoppable = apps.map(app => ({
    plan: app.plan,
    stop: async (why: 'run ends') => {
      await deactivate(app)
      return app.stop(why)
    }
  }))
  try {
    await stopInOrder(stoppable, now)
    await endComponents()
  } finally {
    await endMarked({
      marker: `PILLION_RUN=${run}`,
      spared: spared.map(life => `PILLION_LIFE=${life}`),
      graceMs: longestGraceMs(apps.map(({plan}) => plan)),
      now,
      ended: orphan => reportNote(reporter, '', {type: 'orphan-ended', ...orphan})
    })
  }
}

export interface AppCloserOptions extends Pick<RunContext, 'lifetime' | 'reporter'> {
  /** The open sidecars, without closed ones. */
  readonly sidecars: Map<AppRuntime, OpenSidecar>
  /** Lets the owner of an app close it by `end`, unless it is closed, or is being closed. Settles when it is closed. */
  readonly close: (runtime: AppRuntime, ...how: Parameters<AppOwner['close']>) => Promise<void>
  /** Called when an app is about to end, so that it is not restarted. */
  readonly ends: (runtime: AppRuntime) => void
  /** Called when an app gets no new calls. */
  readonly leaves: (runtime: AppRuntime) => void
  /** Deactivates the actors that its process hosts. */
  readonly letGo: (runtime: AppRuntime) => FinishWork
}

/** Limit in ms for calls without a limit of their own. */
const MAX_BEHIND_MS = 60_000

/** How an edit closes an app. */
export interface EditedClose {
  /** Whether its next sidecar has the same ports. */
  readonly keepsPorts: boolean
  /** The edit opens an app of its id, for which calls wait. */
  readonly isOpenedNext: boolean
  /** Settles when its callers in the edit have answered their open calls. The app accepts calls until then. */
  readonly callers: Promise<unknown>
  /** Called when no call to the app is in flight any more. */
  readonly onDrained: () => void
}

/** Closes apps with their sidecars and logs, each once: single apps during the run, all together at its end. */
export class AppCloser {
  readonly #options: AppCloserOptions
  /** Sidecars whose apps an edit has opened again, and that still have unanswered calls. */
  readonly #behind = new Set<Promise<void>>()

  constructor(options: AppCloserOptions) {
    this.#options = options
  }

  /** Stops an app and then its sidecar, during the run. */
  async close(runtime: AppRuntime): Promise<void> {
    await this.#options.close(runtime, 'closes', async () => this.#leave(runtime))
  }

  /**
   * Stops an app that an edit opens again. Its sidecar frees the ports for the next one, and continues in the background with open calls,
   * which may wait for another app of the edit.
   */
  async closeForEdit(
    runtime: AppRuntime,
    {keepsPorts, isOpenedNext, callers, onDrained}: EditedClose
  ): Promise<SidecarServers | undefined> {
    const {timeoutMs} = runtime.queue
    let servers: SidecarServers | undefined
    await this.#options.close(runtime, isOpenedNext ? 'reopens' : 'closes', async () => {
      await callers
      await withDeadline({ms: runtime.plan.stop.timeoutMs, over: this.#options.lifetime.now}, async cut => {
        await this.drain(runtime)
        onDrained()
        await runtime.stop('user')
        servers = await this.#options.sidecars.get(runtime)?.makeRoom(keepsPorts, cut)
      })
      this.#closeBehind(runtime, timeoutMs)
    })
    return servers
  }

  /** An app that is closed has left the run for good: calls that wait for it ask another version. */
  leave(runtime: AppRuntime): void {
    this.#options.leaves(runtime)
    runtime.leave()
  }

  /** Closes the sidecar once its calls are answered, or after `timeoutMs` (at most 60 s) beyond the grace period. */
  #closeBehind(runtime: AppRuntime, timeoutMs: number): void {
    const ms = runtime.plan.stop.timeoutMs + Math.min(timeoutMs, MAX_BEHIND_MS)
    const close = this.#detach(runtime)
    const closing = withDeadline({ms, over: this.#options.lifetime.stopRequested}, close).finally(() =>
      this.#behind.delete(closing)
    )
    this.#behind.add(closing)
  }

  /** Closes all sidecars and logs after the apps have exited; `cut` is aborted to stop waiting for connections. */
  async closeAll(runtimes: readonly AppRuntime[], cut: AbortSignal): Promise<void> {
    const {close} = this.#options
    await Promise.all(runtimes.map(async runtime => close(runtime, 'closes', async () => this.#detach(runtime)(cut))))
    await Promise.all(this.#behind) // also those that an edit has left just now
  }

  /** Refuses new calls to an app, or queues them for its next opening. Lets calls in flight finish within the grace period, then cancels them. */
  async drain(runtime: AppRuntime): Promise<void> {
    const {sidecars, lifetime, ends, leaves, letGo, reporter} = this.#options
    const over = lifetime.stopRequested
    const letActorsGo = letGo(runtime)
    ends(runtime)
    if (runtime.closing === 'reopens') runtime.suspend()
    else {
      leaves(runtime)
      runtime.refuseCalls()
    }
    sidecars.get(runtime)?.announceEnd()
    const {id, queue, plan} = runtime
    const ms = plan.stop.timeoutMs
    const {isDone, left} = await drain(queue, [letActorsGo], {ms, over})
    if (isDone || over.aborted || left.length === 0) return
    reporter.warn('calls-cut', cutText({id, left, ms, after: 'the stop request'}))
    runtime.cutCalls()
  }

  async #leave(runtime: AppRuntime): Promise<void> {
    await withDeadline({ms: runtime.plan.stop.timeoutMs, over: this.#options.lifetime.now}, async cut => {
      await this.drain(runtime)
      await runtime.stop('user')
      await this.#detach(runtime)(cut)
    })
  }

  /** Removes an app's sidecar and logs, as it may be opened with others. Returns a function that closes them. */
  #detach(runtime: AppRuntime): (cut: AbortSignal) => Promise<void> {
    const {sidecars} = this.#options
    const {opening} = runtime
    const sidecar = sidecars.get(runtime)
    sidecars.delete(runtime)
    return async cut => {
      await sidecar?.close(cut)
      await opening.closeLogs()
    }
  }
}
