/** One part of a run: what its `start` puts up, its `stop` takes down. */
export interface Stage {
  /** For the errors: `ports`, `sidecars`. */
  readonly name: string
  /** Left out: there is nothing to start. */
  start?(): Promise<void> | void
  /**
   * Called also where `start` has failed half way. `cut` is aborted when nothing is to be waited for any longer. Left out:
   * there is nothing to take down.
   */
  stop?(cut: AbortSignal): Promise<void> | void
}

/** Starts the parts of a run in their order, and takes them down in reverse: all of them, also those that a failed start leaves. */
export class Stages {
  readonly #started: Stage[] = []

  /**
   * Starts one after the other. False: `over` was aborted meanwhile; what was started is left to `stop`. When one fails,
   * it and those before it are taken down, without waiting for anybody, and its error is thrown; should that fail too,
   * an AggregateError of all, the first one first.
   */
  async start(stages: readonly Stage[], over: AbortSignal): Promise<boolean> {
    for (const stage of stages) {
      if (over.aborted) return false
      this.#started.push(stage)
      try {
        await stage.start?.()
      } catch (error) {
        await this.#rollBack(error)
      }
    }
    return !over.aborted
  }

  /** Takes down what was started, in reverse. Each is asked, whatever becomes of the others; throws what `start` would. */
  async stop(cut: AbortSignal): Promise<void> {
    raise(await this.#takeDown(cut))
  }

  async #rollBack(error: unknown): Promise<void> {
    raise([error, ...(await this.#takeDown(AbortSignal.abort()))])
  }

  async #takeDown(cut: AbortSignal): Promise<readonly unknown[]> {
    const errors: unknown[] = []
    for (let stage = this.#started.pop(); stage !== undefined; stage = this.#started.pop()) {
      try {
        await stage.stop?.(cut)
      } catch (error) {
        errors.push(new Error(`${stage.name} cannot be taken down`, {cause: error}))
      }
    }
    return errors
  }
}

/** Throws one error as it is, several together. */
function raise(errors: readonly unknown[]): void {
  const [first, ...others] = errors
  if (others.length > 0) throw new AggregateError(errors, first instanceof Error ? first.message : String(first))
  if (errors.length > 0) throw first
}
