import type {Reporter} from '../../model/reporter.ts'
import type {Clock} from '../../platform/clock.ts'
import type {AppRuntime} from '../app-runtime.ts'

/** An instance that has its turn, or waits for it. */
interface Instance {
  readonly runtime: Pick<AppRuntime, 'name' | 'wanted' | 'app' | 'queue' | 'isDebugged'>
  /** Number of requested changes that it has not tried. */
  readonly changes: number
  keep(): void
  answer(): void
}

export interface ProcessTurnOptions {
  readonly owner: Instance
  /** The round of the owner before the turn. */
  readonly since: number
  /** The instances that wait for their turn. */
  readonly waiting: () => readonly Instance[]
  readonly reporter: Reporter
  readonly clock: Clock
}

/**
 * The turn of an instance whose process is replaced while the others accept the calls. If the next process does not become ready, the new
 * code does not work, and the waiting instances keep theirs. Later changes are tried all the same.
 */
export class ProcessTurn {
  readonly #options: ProcessTurnOptions
  #callOff: () => void
  #before = ''

  constructor(options: ProcessTurnOptions) {
    this.#options = options
    const {ready, stop} = options.owner.runtime.wanted
    // with `overlap` the next process starts next to the current one
    this.#callOff = this.#lateAfter(stop.timeoutMs + ready.timeoutMs)
  }

  /** Must be called after each change of the app's state. */
  moved(): void {
    const {app, wanted} = this.#options.owner.runtime
    const isNew = app.state.phase === 'starting' && this.#before !== 'backoff'
    this.#before = app.state.phase
    if (!isNew) return // a looping process would never be late
    this.#callOff()
    this.#callOff = this.#lateAfter(wanted.ready.timeoutMs)
  }

  close(): void {
    this.#callOff()
  }

  /** Decides for the waiting instances that were asked for no more changes. A sleeping instance has no process to keep. */
  end(round: number): void {
    const {owner, since, waiting} = this.#options
    const {queue, app, isDebugged} = owner.runtime
    const {state} = app
    // a waiting or sleeping instance proves nothing about the new code
    const isUntried = state.phase === 'idle' || (state.phase === 'asleep' && state.last === undefined)
    if (queue.state === 'open' || isDebugged || isUntried) return
    const isNoNewer = (each: Instance): boolean => each.changes <= round - since
    const keeping = waiting().filter(each => isNoNewer(each) && each.runtime.app.state.phase !== 'asleep')
    if (keeping.length === 0) return
    this.#warn(keeping, those => `"${owner.runtime.name}" did not become ready: ${those}`)
    for (const each of keeping) each.keep()
  }

  /** Warns of a late process, and answers the callers. The turns stay, since the process may still become ready. */
  #lateAfter(ms: number): () => void {
    const {owner, waiting, clock} = this.#options
    return clock.after(ms, () => {
      const all = waiting()
      if (all.length > 0) this.#warn(all, those => `${those} until "${owner.runtime.name}" is ready`)
      for (const each of [owner, ...all]) each.answer()
    })
  }

  #warn(instances: readonly Instance[], textOf: (those: string) => string): void {
    const names = instances.map(({runtime}) => `"${runtime.name}"`).join(', ')
    const those = `${names} ${instances.length === 1 ? 'keeps its process' : 'keep their processes'}`
    this.#options.reporter.warn('reload-failed', textOf(those))
  }
}
