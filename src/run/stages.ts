/** A part of a run: `stop` undoes `start`. */
export interface Stage {
  /** The name in error messages, for example `ports`. */
  readonly name: string
  /** Omitted if there is nothing to start. */
  start?(): Promise<void> | void
  /** Also called if `start` failed half way. `cut` is aborted to stop waiting. Omitted if there is nothing to stop. */
  stop?(cut: AbortSignal): Promise<void> | void
}

/** Starts stages in order and stops them in reverse order; after a failed start it stops all that were started. */
export class Stages {
  readonly #started: Stage[] = []

  /**
   * Starts the stages one after the other. Returns false if `over` was aborted in between; then `stop` must be called. If a stage fails,
   * stops it and the earlier ones without waiting, and throws its error; if stopping fails, too, an AggregateError with all errors in
   * order.
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

  /** Stops the started stages in reverse, each even if another fails. Then throws their errors as `start` does. */
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
        errors.push(new Error(`cannot stop ${stage.name}`, {cause: error}))
      }
    }
    return errors
  }
}

/** Throws a single error unchanged, several as an AggregateError. */
function raise(errors: readonly unknown[]): void {
  const [first, ...others] = errors
  if (others.length > 0) throw new AggregateError(errors, first instanceof Error ? first.message : String(first))
  if (errors.length > 0) throw first
}
