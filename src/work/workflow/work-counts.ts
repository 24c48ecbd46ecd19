import type {WorkflowEvent} from '../../model/workflow-event.ts'
import type {Clock} from '../../platform/clock.ts'
import type {Instance, InboxEntry} from './instance.ts'
import {msOf, readEvent} from './messages.ts'
import {COMPLETED, TERMINATED} from './status.ts'
import {ActivityItem, TurnItem} from './work-items.ts'
import type {WorkItem} from './workers.ts'

export interface WorkCountsOptions {
  readonly clock: Clock
  readonly counted: (app: string, event: WorkflowEvent) => void
  readonly maxBytes: (app: string) => number
  /** Of the instance of this row. */
  readonly nameOf: (key: number) => string
}

/** What the metrics of workflows count, as it happens. */
export class WorkCounts {
  readonly #options: WorkCountsOptions

  constructor(options: WorkCountsOptions) {
    this.#options = options
  }

  /** A worker has got it. */
  sent(app: string, item: WorkItem): void {
    const {counted, maxBytes, nameOf} = this.#options
    const {name} = item
    if (item instanceof TurnItem)
      counted(app, {type: 'turn-sent', workflow: name, share: item.live.turnBytes / maxBytes(app)})
    if (!(item instanceof ActivityItem)) return
    const {instance, request} = item.activity
    const share = request.length / maxBytes(app)
    counted(app, {type: 'activity-sent', workflow: nameOf(instance), activity: name, share})
  }

  /** Its worker has left without an answer: another one gets it. */
  left(app: string, item: WorkItem): void {
    if (!(item instanceof TurnItem) && !(item instanceof ActivityItem)) return
    const {kind, name} = item
    const shared = {status: 'recoverable', elapsedMs: 0} as const
    this.#options.counted(
      app,
      kind === 'workflows'
        ? {...shared, type: 'ended', workflow: name}
        : {...shared, type: 'activity-ended', activity: name}
    )
  }

  /** Its first turn is done. */
  begun({app, name}: Instance, inbox: readonly InboxEntry[], startedAt: number): void {
    const start = inbox.find(({kind}) => kind === 'start')
    if (start === undefined) return
    const {timestamp, executionStarted} = readEvent(start.event)
    const planned = executionStarted?.scheduledStart ?? timestamp
    const elapsedMs = planned === undefined ? 0 : startedAt - msOf(planned)
    this.#options.counted(app, {type: 'begun', workflow: name, elapsedMs})
  }

  /** Nothing will happen to it any more. */
  ended({app, name, status: end, started}: Instance): void {
    const {counted, clock} = this.#options
    const status = end === COMPLETED ? 'success' : end === TERMINATED ? 'terminated' : 'failed'
    const elapsedMs = started === undefined ? 0 : clock.date() - started
    counted(app, {type: 'ended', workflow: name, status, elapsedMs})
  }
}
