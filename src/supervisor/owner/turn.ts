import type {Reporter} from '../../model/reporter.ts'
import type {Clock} from '../../platform/clock.ts'
import type {AppRuntime} from '../app-runtime.ts'

/** An instance of an app that is being replaced, or waits for it. Implemented by `AppOwner`. */
interface Instance {
  readonly runtime: Pick<AppRuntime, 'name' | 'wanted' | 'app' | 'queue' | 'isDebugged' | 'hasOtherStarter'>
  /** Number of requested rounds that were not tried yet. */
  readonly changes: number
  keep(): void
  answer(): void
}

/** An instance among the other instances of its app. */
interface Member extends Instance {
  readonly turns: InstanceTurns
  /** Whether the instance is being replaced. */
  readonly isBusy: boolean
}

export interface TurnsNeeds {
  /** Returns all open instances of the app. */
  readonly group: () => readonly Member[]
  readonly reporter: Reporter
  readonly clock: Clock
}

/** Lets one instance of an app wait for its turn: only one instance is replaced at a time, in their order, so that the others serve calls. */
export class InstanceTurns {
  readonly #member: Member
  readonly #options: TurnsNeeds
  #turn: ProcessTurn | undefined

  constructor(member: Member, options: TurnsNeeds) {
    this.#member = member
    this.#options = options
  }

  /** Whether the instance takes turns with others. A sleeping instance does not, and neither does one that changes to or from a debugger. */
  get areTaken(): boolean {
    const {app, hasOtherStarter} = this.#member.runtime
    const isAsleep = app.state.phase === 'asleep' && app.state.last === undefined
    return !isAsleep && !hasOtherStarter && this.#options.group().length > 1
  }

  get isWaiting(): boolean {
    return this.#member.changes > 0 && !this.#member.isBusy && this.#turn === undefined && this.areTaken
  }

  /** Whether the instance has to wait, since another one has its turn or is first. */
  get isOtherFirst(): boolean {
    if (!this.isWaiting) return false
    const group = this.#options.group()
    const place = group.indexOf(this.#member)
    return group.some(({turns}, at) => turns.#turn !== undefined || (at < place && turns.isWaiting))
  }

  /** Begins the turn of the instance if it waits for one. `since`: round of its process. */
  begin(since: number): void {
    if (!this.isWaiting) return
    const {group, reporter, clock} = this.#options
    const waiting = (): readonly Member[] => group().filter(each => each !== this.#member && each.turns.isWaiting)
    this.#turn = new ProcessTurn({owner: this.#member, since, waiting, reporter, clock})
  }

  /** Called after each change of the app's state. */
  moved(): void {
    this.#turn?.moved()
  }

  /** Ends the turn. `round`: round of the new process. `isOver`: the app ends, so that the result does not concern the other instances. */
  end(round: number, isOver: boolean): void {
    const turn = this.#turn
    this.#turn = undefined
    turn?.close()
    if (!isOver) turn?.end(round)
  }
}

interface ProcessTurnOptions {
  readonly owner: Instance
  /** Round of the owner before the turn. */
  readonly since: number
  /** Returns the instances that wait for their turn. */
  readonly waiting: () => readonly Instance[]
  readonly reporter: Reporter
  readonly clock: Clock
}

/**
 * The turn of an instance: its process is replaced while the other instances accept the calls. If the next process does not become ready, the
 * new code is broken, and the waiting instances keep their processes until the next change.
 */
class ProcessTurn {
  readonly #options: ProcessTurnOptions
  #callOff: () => void
  #before = ''

  constructor(options: ProcessTurnOptions) {
    this.#options = options
    const {ready, stop} = options.owner.runtime.wanted
    // runs from now on, since the start of a candidate (`overlap`) does not show in the app's state
    this.#callOff = this.#lateAfter(stop.timeoutMs + ready.timeoutMs)
  }

  /** Called after each change of the app's state. */
  moved(): void {
    const {app, wanted} = this.#options.owner.runtime
    const isNew = app.state.phase === 'starting' && this.#before !== 'backoff'
    this.#before = app.state.phase
    if (!isNew) return // restarts after a backoff do not extend the time
    this.#callOff()
    this.#callOff = this.#lateAfter(wanted.ready.timeoutMs)
  }

  close(): void {
    this.#callOff()
  }

  /** Lets the waiting instances keep their processes if the new one is not ready, except instances with later changes or asleep. */
  end(round: number): void {
    const {owner, since, waiting} = this.#options
    const {queue, app, isDebugged} = owner.runtime
    const {state} = app
    // an app that has not started or sleeps does not show whether the new code works
    const isUntried = state.phase === 'idle' || (state.phase === 'asleep' && state.last === undefined)
    if (queue.state === 'open' || isDebugged || isUntried) return
    const isNoNewer = (each: Instance): boolean => each.changes <= round - since
    const keeping = waiting().filter(each => isNoNewer(each) && each.runtime.app.state.phase !== 'asleep')
    if (keeping.length === 0) return
    this.#warn(keeping, those => `"${owner.runtime.name}" did not become ready: ${those}`)
    for (const each of keeping) each.keep()
  }

  /** Warns of a late process after a time, and settles the waits of callers. The turn goes on, since the process may still become ready. */
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
