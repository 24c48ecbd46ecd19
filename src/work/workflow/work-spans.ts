import {hash} from 'node:crypto'
import {spanIdOf} from '../../model/traceparent.ts'
import type {WorkSpan, WorkTraces} from '../../model/work-trace.ts'
import type {Clock} from '../../platform/clock.ts'
import {wallTime} from '../../platform/wall-time.ts'
import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import {msOf, readEvent, splitEvents, type Event} from './messages.ts'
import {statusName} from './status.ts'
import type {ActivityItem} from './work-items.ts'

/** The span of an activity: found again from its instance and task, so that it is kept nowhere. 16 digits; '' if there is no trace. */
export const activitySpanId = ({trace}: Pick<Instance, 'trace'>, task: number): string =>
  trace === undefined ? '' : hash('sha1', `${trace} ${task}`).slice(0, 16)

/** What an activity belongs to, as its worker gets it: a traceparent. */
export const activityTrace = (instance: Pick<Instance, 'trace'>, task: number): string =>
  instance.trace === undefined
    ? ''
    : `${instance.trace.slice(0, 36)}${activitySpanId(instance, task)}${instance.trace.slice(52)}`

/** The first event of the latest start. */
const startOf = (history: readonly Uint8Array[]): Event['executionStarted'] =>
  splitEvents(history[0] ?? new Uint8Array(0))
    .map(readEvent)
    .find(({executionStarted}) => executionStarted !== undefined)?.executionStarted

/** The spans of workflows, with the names and attributes of durabletask (durabletask-go: api/helpers/tracing.go). */
export class WorkSpans {
  readonly #clock: Clock
  readonly #tracesOf: (app: string) => WorkTraces | undefined

  constructor(clock: Clock, tracesOf: (app: string) => WorkTraces | undefined) {
    this.#clock = clock
    this.#tracesOf = tracesOf
  }

  /** A place below that of another traceparent ('' = in a new trace); '' = an app's workflows are not traced. */
  begin(app: string, parent = ''): string {
    return this.#tracesOf(app)?.begin(parent) ?? ''
  }

  /** A caller has started it: `traceparent` is the span of that, `parent` that of the caller. */
  created(instance: Instance, {traceparent, parent, startedAt}: Created): void {
    this.#ended(instance.app, () => ({
      ...this.#workflow(instance, 'create_orchestration'),
      kind: 'client',
      traceparent,
      parentSpanId: spanIdOf(parent),
      startedAt,
      durationMs: this.#clock.date() - startedAt
    }))
  }

  /** It is over, or continues as new. */
  over(instance: Instance, history: readonly Uint8Array[], status = statusName(instance.status)): void {
    const {app, trace: traceparent} = instance
    if (traceparent === undefined) return
    this.#ended(app, () => {
      const {attributes, ...span} = this.#workflow(instance, 'orchestration')
      return {
        ...span,
        traceparent,
        parentSpanId: spanIdOf(startOf(history)?.parentTraceContext?.traceParent),
        attributes: {...attributes, 'durabletask.runtime_status': status},
        error: failureOf(instance.failure).message
      }
    })
  }

  /** A worker has answered it. */
  activityOver(instance: Instance | undefined, {activity, name, id, sentAt}: ActivityItem, failure: Uint8Array): void {
    if (instance?.trace === undefined) return
    this.#ended(activity.app, () => ({
      name: `activity||${name}`,
      kind: 'server',
      traceparent: activityTrace(instance, activity.task),
      parentSpanId: spanIdOf(instance.trace),
      startedAt: wallTime.of(sentAt),
      durationMs: performance.now() - sentAt,
      attributes: attributesOf('activity', {
        'task.name': name,
        'task.task_id': String(activity.task),
        'task.instance_id': id
      }),
      error: failureOf(failure).message
    }))
  }

  /** A timer of an instance has fired, as this event says. */
  timerFired({app, id, trace, started}: Instance, history: readonly Uint8Array[], event: Uint8Array): void {
    if (trace === undefined) return
    this.#ended(app, () => {
      const {timerId = -1, fireAt} = readEvent(event).timerFired ?? {}
      const created = history
        .flatMap(splitEvents)
        .map(readEvent)
        .find(({eventId, timerCreated}) => eventId === timerId && timerCreated !== undefined)?.timestamp
      const now = this.#clock.date()
      const startedAt = created === undefined ? (started ?? now) : msOf(created)
      const at = fireAt === undefined ? '' : new Date(msOf(fireAt)).toISOString()
      return {
        name: 'timer',
        kind: 'internal',
        traceparent: activityTrace({trace}, timerId),
        parentSpanId: spanIdOf(trace),
        startedAt,
        durationMs: now - startedAt,
        attributes: attributesOf('timer', {
          fire_at: at,
          'task.task_id': String(timerId),
          'task.instance_id': id
        }),
        error: ''
      }
    })
  }

  #workflow(
    {name, id, created, started = created}: Instance,
    type: string
  ): Omit<WorkSpan, 'traceparent' | 'parentSpanId'> {
    return {
      name: `${type}||${name}`,
      kind: 'server',
      startedAt: started,
      durationMs: this.#clock.date() - started,
      attributes: attributesOf('orchestration', {'task.name': name, 'task.instance_id': id}),
      error: ''
    }
  }

  #ended(app: string, span: () => WorkSpan): void {
    this.#tracesOf(app)?.ended(span)
  }
}

interface Created {
  readonly traceparent: string
  readonly parent: string
  readonly startedAt: number
}

const attributesOf = (type: string, more: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  'durabletask.type': type,
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`durabletask.${key}`, value]))
})
