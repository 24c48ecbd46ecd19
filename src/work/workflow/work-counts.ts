import type {WorkflowEvent} from '../../model/work-event.ts'
import type {Clock} from '../../platform/clock.ts'
import type {Instance} from './instance.ts'
import type {LiveInstances} from './live-instances.ts'
import {msOf, readEvent} from './messages.ts'
import {COMPLETED, TERMINATED} from './status.ts'
import type {TurnStart} from './turn.ts'
import {ActivityItem, TurnItem} from './work-items.ts'
import type {WorkItem} from './workers.ts'

/* Counts for the metrics of workflows. */

interface Counting {
  readonly options: {
    readonly counted: (app: string, event: WorkflowEvent) => void
    readonly maxBytes: (app: string) => number
  }
  readonly clock: Clock
  readonly live: Pick<LiveInstances, 'at'>
}

export function countSent(engine: Counting, app: string, item: WorkItem): void {
  const {name} = item
  if (item instanceof TurnItem) countSize(engine, app, item.live.turnBytes, name)
  if (!(item instanceof ActivityItem)) return
  const {instance, request} = item.activity
  countSize(engine, app, request.length, engine.live.at(instance)?.instance.name ?? '', name)
  engine.options.counted(app, {type: 'activity-sent', activity: name})
}

/** Counts the size of a turn or activity, whether it was sent or is too large. */
export function countSize({options}: Counting, app: string, bytes: number, workflow: string, activity?: string): void {
  const share = bytes / options.maxBytes(app)
  options.counted(
    app,
    activity === undefined ? {type: 'turn-sized', workflow, share} : {type: 'activity-sized', workflow, activity, share}
  )
}

/** Counts an item whose worker has disconnected without an answer: another worker gets it. */
export function countLeft({options}: Counting, app: string, item: WorkItem): void {
  if (!(item instanceof TurnItem) && !(item instanceof ActivityItem)) return
  const {kind, name} = item
  const shared = {status: 'recoverable', elapsedMs: 0} as const
  options.counted(
    app,
    kind === 'workflows'
      ? {...shared, type: 'ended', workflow: name}
      : {...shared, type: 'activity-ended', activity: name}
  )
}

/** Counts an instance after its first turn. */
export function countBegun({options}: Counting, {app, name}: Instance, inbox: TurnStart['inbox'], began: number): void {
  const start = inbox.find(({kind}) => kind === 'start')
  if (start === undefined) return
  const {timestamp, executionStarted} = readEvent(start.event)
  const planned = executionStarted?.scheduledStart ?? timestamp
  const elapsedMs = planned === undefined ? 0 : Math.max(0, began - msOf(planned))
  options.counted(app, {type: 'begun', workflow: name, elapsedMs})
}

export function countEnded({options, clock}: Counting, {app, name, status: end, started}: Instance): void {
  const status = end === COMPLETED ? 'success' : end === TERMINATED ? 'terminated' : 'failed'
  const elapsedMs = started === undefined ? 0 : clock.date() - started
  options.counted(app, {type: 'ended', workflow: name, status, elapsedMs})
}
