import {hash} from 'node:crypto'
import {spanIdOf} from '../../model/traceparent.ts'
import type {WorkSpan} from '../../model/work-trace.ts'
import {wallTime} from '../../platform/wall-time.ts'
import type {Engine} from './engine.ts'
import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import {eventsOf, msOf, readEvent, type Event} from './messages.ts'
import {statusName} from './status.ts'
import type {ActivityItem, LiveInstance} from './work-items.ts'

/* The spans of workflows, with the names and attributes of durabletask (durabletask-go: api/helpers/tracing.go). */

/** The span of an activity: found again from its instance and task, so that it is kept nowhere. 16 digits; '' if there is no trace. */
export const activitySpanId = ({trace}: Pick<Instance, 'trace'>, task: number): string =>
  trace === undefined ? '' : hash('sha1', `${trace} ${task}`).slice(0, 16)

/** What an activity belongs to, as its worker gets it: a traceparent. */
export const activityTrace = (instance: Pick<Instance, 'trace'>, task: number): string =>
  instance.trace === undefined
    ? ''
    : `${instance.trace.slice(0, 36)}${activitySpanId(instance, task)}${instance.trace.slice(52)}`

const startOf = (history: readonly Uint8Array[]): Event['executionStarted'] =>
  eventsOf(history.slice(0, 1)).find(({executionStarted}) => executionStarted !== undefined)?.executionStarted

/** A place below that of another traceparent ('' = in a new trace); '' = an app's workflows are not traced. */
export const beginSpan = ({options}: Engine, app: string, parent = ''): string =>
  options.tracesOf(app)?.begin(parent) ?? ''

/** A caller has started it: `traceparent` is the span of that, `parent` that of the caller. */
export function spanOfStart(
  engine: Engine,
  instance: Instance,
  {traceparent, parent, startedAt}: Pick<WorkSpan, 'traceparent' | 'startedAt'> & {readonly parent: string}
): void {
  ended(engine, instance.app, () => ({
    ...workflowSpan(engine, instance, 'create_orchestration'),
    kind: 'client',
    traceparent,
    parentSpanId: spanIdOf(parent),
    startedAt,
    durationMs: engine.clock.date() - startedAt
  }))
}

/** It is over, or continues as new. */
export function spanOfEnd(engine: Engine, {instance, history}: LiveInstance, status = instance.status): void {
  const {app, trace: traceparent} = instance
  if (traceparent === undefined) return
  ended(engine, app, () => {
    const {attributes, ...span} = workflowSpan(engine, instance, 'orchestration')
    return {
      ...span,
      traceparent,
      parentSpanId: spanIdOf(startOf(history)?.parentTraceContext?.traceParent),
      attributes: {...attributes, 'durabletask.runtime_status': statusName(status)},
      error: failureOf(instance.failure).message
    }
  })
}

/** A worker has answered it. */
export function spanOfActivity(
  engine: Engine,
  instance: Instance | undefined,
  {activity, name, id, sentAt}: ActivityItem,
  failure: Uint8Array
): void {
  if (instance?.trace === undefined) return
  ended(engine, activity.app, () => ({
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
export function spanOfTimer(engine: Engine, {instance, history}: LiveInstance, event: Uint8Array): void {
  const {app, id, trace, started} = instance
  if (trace === undefined) return
  ended(engine, app, () => {
    const {timerId = -1, fireAt} = readEvent(event).timerFired ?? {}
    const isOne = (each: Event): boolean => each.eventId === timerId && each.timerCreated !== undefined
    const created = eventsOf(history).find(isOne)?.timestamp
    const now = engine.clock.date()
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

function workflowSpan(
  {clock}: Engine,
  {name, id, created, started = created}: Instance,
  type: string
): Omit<WorkSpan, 'traceparent' | 'parentSpanId'> {
  return {
    name: `${type}||${name}`,
    kind: 'server',
    startedAt: started,
    durationMs: clock.date() - started,
    attributes: attributesOf('orchestration', {'task.name': name, 'task.instance_id': id}),
    error: ''
  }
}

const ended = ({options}: Engine, app: string, span: () => WorkSpan): void => options.tracesOf(app)?.ended(span)

const attributesOf = (type: string, more: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  'durabletask.type': type,
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`durabletask.${key}`, value]))
})
