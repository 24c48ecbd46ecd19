import {systemClock, type Clock} from '../../platform/clock.ts'

const MAX_RESTARTS = 30
const WITHIN_MS = 60_000
const QUIET_MS = 10_000

/**
 * Limits restarts: an app that writes into its own folder would restart forever. After thirty restarts within 60 s, the next waits until
 * no file has changed for ten seconds, or the user restarts the app.
 */
export class RestartLimiter {
  readonly #reload: (paths: readonly string[]) => void
  readonly #onSuspend: (file: string) => void
  readonly #clock: Clock
  #restarts: number[] = []
  readonly #changes = new Map<string, number>()
  /** A change waits until no file has changed for a while. */
  isSuspended = false
  #callOff = (): void => undefined

  /** `reload` gets the changed files, relative to the app's folder; `onSuspend` the one that changed most often. */
  constructor(
    reload: (paths: readonly string[]) => void,
    onSuspend: (file: string) => void,
    clock: Clock = systemClock
  ) {
    this.#reload = reload
    this.#onSuspend = onSuspend
    this.#clock = clock
  }

  changed(paths: readonly string[]): void {
    const now = this.#clock.now()
    this.#restarts = this.#restarts.filter(at => at > now - WITHIN_MS)
    // while restarts are suspended the most frequent file is known
    if (!this.isSuspended && this.#restarts.length === 0) this.#changes.clear()
    if (!this.isSuspended) for (const path of paths) this.#changes.set(path, (this.#changes.get(path) ?? 0) + 1)
    if (this.isSuspended || this.#restarts.length >= MAX_RESTARTS) {
      if (!this.isSuspended) this.#onSuspend(this.#worst)
      this.isSuspended = true
      this.#callOff()
      this.#callOff = this.#clock.after(QUIET_MS, () => this.#calm())
      return
    }
    this.#restarts.push(now)
    this.#reload(paths)
  }

  /** The user restarts the app: starts counting again. */
  lift(): void {
    this.#callOff()
    this.isSuspended = false
    this.#restarts = []
  }

  close(): void {
    this.#callOff()
  }

  #calm(): void {
    this.lift()
    this.#reload([this.#worst])
  }

  get #worst(): string {
    const [[file] = ['']] = [...this.#changes].toSorted((a, b) => b[1] - a[1])
    return file
  }
}
