import type {Clock} from '../../platform/clock.ts'
import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import type {FarTasks} from './far-tasks.ts'
import type {Instance, InboxEntry, Parent} from './instance.ts'
import {eventOf, readEvent, textOf, type Event} from './messages.ts'
import type {Retention} from './retention.ts'
import {startEventOf} from './start-event.ts'
import {COMPLETED, isTerminal, TERMINATED} from './status.ts'
import type {Turn} from './turn.ts'
import type {TurnQueue} from './turn-queue.ts'
import type {WorkCounts} from './work-counts.ts'
import type {WorkSpans} from './work-spans.ts'
import type {LiveInstance} from './work-items.ts'
import type {AppWorkers} from './workers.ts'
import type {WorkflowStore} from './workflow-store.ts'

export interface InstanceEndsOptions {
  readonly store: WorkflowStore
  readonly clock: Clock
  readonly retention: Retention
  readonly counts: WorkCounts
  readonly workersOf: (app: string) => AppWorkers
  readonly turns: TurnQueue
  readonly spans: WorkSpans
  readonly far: FarTasks
  /** Whether an app may ask that of another one. */
  readonly mayAsk: (app: string, access: WorkflowAccess) => boolean
}

/** How instances end, and what parents and children get of it. All is called within a change of the file; the caller writes the instance. */
export class InstanceEnds {
  readonly #options: InstanceEndsOptions

  constructor(options: InstanceEndsOptions) {
    this.#options = options
  }

  /** Its worker has ended it with a turn that is in its history. */
  byTurn(live: LiveInstance, {end, endsChildren}: Turn): void {
    const {instance} = live
    instance.output = end?.result
    instance.failure = end?.failure
    if (live.turn !== undefined) this.#options.workersOf(instance.app).remove(live.turn)
    live.turn = undefined
    this.#over(live, endsChildren)
  }

  /** Terminated before it has started, or while no worker can take its turn. */
  byForce(live: LiveInstance, {event}: Omit<InboxEntry, 'id'>): void {
    const {instance} = live
    const {store, clock} = this.#options
    const {executionTerminated} = readEvent(event)
    const now = clock.date()
    instance.status = TERMINATED
    instance.updated = now
    const result = executionTerminated?.input
    const completed = eventOf(now, {
      executionCompleted: {status: TERMINATED, result, failureDetails: new Uint8Array(0)}
    })
    const begun = instance.turns === 0 ? [startEventOf(store, now, instance)] : []
    live.history.push(store.addTurn(instance, [...begun, event, completed]))
    instance.turns++
    instance.stall = undefined
    instance.output = result?.value
    this.#over(live, executionTerminated?.recurse === true)
  }

  #over(live: LiveInstance, endsChildren: boolean): void {
    const {store, retention, counts, spans} = this.#options
    const {instance, history} = live
    store.take(instance.key, Number.MAX_SAFE_INTEGER)
    live.inbox = []
    if (endsChildren) this.endChildren(instance, instance.output)
    if (instance.parent !== undefined) this.#tellParent(instance, instance.parent)
    retention.limit(instance)
    counts.ended(instance)
    spans.over(instance, history)
  }

  /** Terminates all below one that is over, or is to be: at once, as one that starts others without an end could not be caught up with. */
  endChildren(instance: Instance, output: string | undefined): void {
    const {store, clock, turns, far, mayAsk} = this.#options
    far.end(instance, output)
    const executionTerminated = {input: textOf(output), recurse: true}
    const parents = [instance]
    for (const parent of parents)
      for (const child of store.children(parent)) {
        const access = {caller: parent.app, kind: 'workflows', operation: 'terminate', name: child.name} as const
        if (isTerminal(child.status) || turns.endOf(child.key) !== undefined) continue
        if (child.app !== parent.app && !mayAsk(child.app, access)) continue
        const event = eventOf(clock.date(), {executionTerminated})
        turns.post(child.key, {kind: 'terminate', name: 'recursive', event})
        parents.push(child)
      }
  }

  #tellParent({app, status, output, failure}: Instance, {app: parentApp, id, execution, task}: Parent): void {
    const {store, clock, turns} = this.#options
    const parent = store.find(parentApp, id)
    if (parent === undefined || parent.execution !== execution) return
    const shared = {taskScheduledId: task, taskExecutionId: ''}
    const event: Event =
      status === COMPLETED
        ? {childCompleted: {...shared, result: textOf(output)}}
        : {childFailed: {...shared, failureDetails: failure ?? new Uint8Array(0)}}
    const router = {sourceAppID: app, targetAppID: parentApp}
    turns.post(parent.key, {kind: 'result', name: '', event: eventOf(clock.date(), {...event, router})})
  }
}
