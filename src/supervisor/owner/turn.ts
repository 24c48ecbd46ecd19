import type {Reporter} from '../../model/reporter.ts'
import type {Clock} from '../../platform/clock.ts'
import type {AppRuntime} from '../app-runtime.ts'

/** An instance that has its turn, or waits for it. */
interface Instance {
  readonly runtime: Pick<AppRuntime, 'name' | 'wanted' | 'app' | 'queue' | 'isDebugged' | 'changesHands'>
  /** Number of requested changes that it has not tried. */
  readonly changes: number
  keep(): void
  answer(): void
}

/** An instance among the others of its app. */
interface Member extends Instance {
  readonly turns: InstanceTurns
  /** Whether it is being replaced. */
  readonly isBusy: boolean
}

export interface TurnsNeeds {
  /** All instances of the app that are open. */
  readonly group: () => readonly Member[]
  readonly reporter: Reporter
  readonly clock: Clock
}

/** The turns of one instance: only one instance of an app is replaced at a time, in their order. */
export class InstanceTurns {
  readonly #member: Member
  readonly #options: TurnsNeeds
  #turn: ProcessTurn | undefined

  constructor(member: Member, options: TurnsNeeds) {
    this.#member = member
    this.#options = options
  }

  /** Whether other instances accept its calls while it is replaced. A sleeping app has no process; a debugger was named with one instance. */
  get areTaken(): boolean {
    const {app, changesHands} = this.#member.runtime
    const isAsleep = app.state.phase === 'asleep' && app.state.last === undefined
    return !isAsleep && !changesHands && this.#options.group().length > 1
  }

  get isWaiting(): boolean {
    return this.#member.changes > 0 && !this.#member.isBusy && this.#turn === undefined && this.areTaken
  }

  /** Whether it waits while another instance has its turn, or is first. */
  get isOtherFirst(): boolean {
    if (!this.isWaiting) return false
    const group = this.#options.group()
    const place = group.indexOf(this.#member)
    return group.some(({turns}, at) => turns.#turn !== undefined || (at < place && turns.isWaiting))
  }

  /** Begins its turn after this round, if it waits for one. */
  begin(since: number): void {
    if (!this.isWaiting) return
    const {group, reporter, clock} = this.#options
    const waiting = (): readonly Member[] => group().filter(each => each !== this.#member && each.turns.isWaiting)
    this.#turn = new ProcessTurn({owner: this.#member, since, waiting, reporter, clock})
  }

  /** Must be called after each change of the app's state. */
  moved(): void {
    this.#turn?.moved()
  }

  /** Ends its turn at this round. `isOver`: nothing follows from it, since the app ends. */
  end(round: number, isOver: boolean): void {
    const turn = this.#turn
    this.#turn = undefined
    turn?.close()
    if (!isOver) turn?.end(round)
  }
}

interface ProcessTurnOptions {
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
class ProcessTurn {
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
