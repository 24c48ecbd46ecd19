import {hash} from 'node:crypto'
import {spanIdOf} from '../../model/traceparent.ts'
import type {WorkSpan} from '../../model/work-event.ts'
import {wallTime} from '../../platform/wall-time.ts'
import type {Engine} from './engine.ts'
import {failureOf} from './failure.ts'
import type {Instance} from './instance.ts'
import {eventsOf, msOf, NO_BYTES, readEvent, type Event} from './messages.ts'
import {statusName} from './status.ts'
import type {ActivityItem, LiveInstance} from './work-items.ts'

/* The spans of workflows, with the names and attributes of durabletask (durabletask-go: api/helpers/tracing.go). */

/** Computes the id of an activity's span from its instance and task, so that it need not be stored: 16 digits; '': not traced. */
export const activitySpanId = ({trace}: Pick<Instance, 'trace'>, task: number): string =>
  trace === undefined ? '' : hash('sha1', `${trace} ${task}`).slice(0, 16)

/** Returns the traceparent of an activity, for its worker. */
export const activityTrace = (instance: Pick<Instance, 'trace'>, task: number): string =>
  instance.trace === undefined
    ? ''
    : `${instance.trace.slice(0, 36)}${activitySpanId(instance, task)}${instance.trace.slice(52)}`

const startOf = (history: readonly Uint8Array[]): Event['executionStarted'] =>
  eventsOf(history.slice(0, 1)).find(({executionStarted}) => executionStarted !== undefined)?.executionStarted

/** Returns the id of the span that started a workflow; '': it is in another trace, as in a rerun, which has the start event of its source. */
const parentIn = (own: string, parent = ''): string =>
  parent.slice(3, 35) === own.slice(3, 35) ? spanIdOf(parent) : ''

/** Begins a span below a traceparent ('': in a new trace). Returns its traceparent; '': workflows of the app are not traced. */
export const beginSpan = ({options}: Engine, app: string, parent = ''): string =>
  options.tracesOf(app)?.begin(parent) ?? ''

/** Records the span of a request to start an instance. `startedAt`: by `performance.now()`. `parent`: traceparent of the caller. */
export function spanOfStart(
  engine: Engine,
  instance: Instance,
  {traceparent, parent, startedAt}: Pick<WorkSpan, 'traceparent' | 'startedAt'> & {readonly parent: string}
): void {
  ended(engine, instance.app, () => ({
    ...workflowSpan(engine, instance, 'create_orchestration', wallTime.of(startedAt)),
    kind: 'client',
    traceparent,
    parentSpanId: spanIdOf(parent),
    durationMs: performance.now() - startedAt
  }))
}

/** Records the span of an instance that has ended, or continues as new. */
export function spanOfEnd(engine: Engine, live: LiveInstance, status = live.instance.status): void {
  const {instance, history} = live
  const {app, trace: traceparent} = instance
  if (traceparent === undefined) return
  ended(engine, app, () => {
    const {attributes, ...span} = workflowSpan(engine, instance, 'orchestration', beginningOf(live))
    return {
      ...span,
      traceparent,
      parentSpanId: parentIn(traceparent, startOf(history)?.parentTraceContext?.traceParent),
      attributes: {...attributes, 'durabletask.runtime_status': statusName(status)},
      error: failureOf(instance.failure).message
    }
  })
}

/** Records the span of an activity that a worker has answered. */
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

/** Records the span of a timer that has fired with this event. */
export function spanOfTimer(engine: Engine, live: LiveInstance, event: Uint8Array): void {
  const {instance, history} = live
  const {app, id, trace} = instance
  if (trace === undefined) return
  ended(engine, app, () => {
    const {timerId = -1, fireAt} = readEvent(event).timerFired ?? {}
    const isOne = (each: Event): boolean => each.eventId === timerId && each.timerCreated !== undefined
    // searches from the end, so as not to decode thousands of turns for each timer
    const turn = history.findLast(each => eventsOf([each]).some(isOne)) ?? NO_BYTES
    const created = eventsOf([turn]).find(isOne)?.timestamp
    const began = beginningOf(live)
    const startedAt = created === undefined ? began : Math.max(began, msOf(created))
    const at = fireAt === undefined ? '' : new Date(msOf(fireAt)).toISOString()
    return {
      name: 'timer',
      kind: 'internal',
      traceparent: activityTrace({trace}, timerId),
      parentSpanId: spanIdOf(trace),
      startedAt,
      durationMs: Math.max(0, engine.clock.date() - startedAt),
      attributes: attributesOf('timer', {fire_at: at, 'task.task_id': String(timerId), 'task.instance_id': id}),
      error: ''
    }
  })
}

/** Returns the start of an instance in ms since 1970, with a fraction if known: in whole ms, it could be before its parent's start. */
const beginningOf = ({instance: {started, created}, began}: LiveInstance): number =>
  began === undefined ? (started ?? created) : wallTime.of(began)

function workflowSpan(
  {clock}: Engine,
  {name, id}: Instance,
  type: string,
  startedAt: number
): Omit<WorkSpan, 'traceparent' | 'parentSpanId'> {
  return {
    name: `${type}||${name}`,
    kind: 'server',
    startedAt,
    durationMs: Math.max(0, clock.date() - startedAt),
    attributes: attributesOf('orchestration', {'task.name': name, 'task.instance_id': id}),
    error: ''
  }
}

/** Records a span after the commit: while the file cannot be written, a change is repeated each second. */
function ended({options, file}: Engine, app: string, span: () => WorkSpan): void {
  const traces = options.tracesOf(app)
  if (traces === undefined) return
  const made = span()
  file.afterCommit(() => traces.ended(() => made))
}

const attributesOf = (type: string, more: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  'durabletask.type': type,
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`durabletask.${key}`, value]))
})
